"""Personal and secret strings out of what leaves: e-mail addresses, phone numbers, keys. Knows no vote.

Phones are found by phonenumbers (Google's libphonenumber), keys by Kingfisher's rules, which scan in this process
and ask no server. What is wrongly found matters as much as what is missed: these texts are full of numbers.
`tests/test_scrub.py` measures both on a labelled set.
"""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from phonenumbers import Leniency, PhoneNumberMatcher

if TYPE_CHECKING:
    from kingfisher_sdk import Scanner

Kind = Literal["email", "phone", "key"]
PLACEHOLDERS: Mapping[Kind, str] = {
    "email": "[e-mail address]",
    "phone": "[phone number]",
    "key": "[key]",
}

_EMAIL = re.compile(
    # The last label's letters have one case: "nDCG@10.The next" is a sentence's end.
    r"(?<![\w.%+-])[\w%+-][\w.%+-]{0,63}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:[a-z]{2,24}(?![a-z\d])|[A-Z]{2,24}(?!\w))"
)
_REGIONS = ("US", "GB")
"""Whose national forms are known for phones; all others need their "+". Germany's would take years for numbers."""
_BRACKETS = str.maketrans("[]", "||")  # or a citation behind a number would be read as part of it
_ASSIGNED = re.compile(
    r"""(?i)(?<![^\W_])(?:(?:api|access)[_-]?key|passw(?:or)?d|pwd|secret|token)["']?\s{0,3}[:=]\s{0,3}["']?"""
    r"""(?=[^\s"',;]{0,200}\d)(?=[^\s"',;]{0,200}[A-Za-z])(?P<key>[^\s"',;<>\[\]]{8,200})"""
)
_PROSE_MARK = re.compile(r"[<>()\[\]{}|,!?»”’]|[.:](?=[\s<>()\[\]]|$)", re.MULTILINE)
_SHORTEST_KEY = 8  # characters; what is shorter is a rule's slip, and would be taken out of every word


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch that must not leave: ``text[start:end]``."""

    kind: Kind
    start: int
    end: int


class Scrubber:
    """Finds and replaces; safe to use from threads. Kingfisher's rules are made ready at the first text.

    That takes seconds, or a third of one where ``cache_dir`` holds what was made before.
    """

    def __init__(self, cache_dir: Path | None = None) -> None:
        self._cache_dir = cache_dir
        self._lock = threading.Lock()
        self._scanner: Scanner | None = None

    def find(self, text: str) -> tuple[Found, ...]:
        """What must not leave, in order, no two overlapping; of two that do, the one that begins first."""
        found = [*self._keys(text), *_emails(text), *_phones(text)]
        kept: list[Found] = []
        for one in sorted(found, key=lambda found: (found.start, -found.end)):
            if not kept or one.start >= kept[-1].end:
                kept.append(one)
        return tuple(kept)

    def scrub(self, text: str) -> tuple[str, frozenset[tuple[Kind, str]]]:
        """The text with placeholders, and what they stand for; half a surrogate pair becomes a question mark."""
        text = text.encode("utf-8", "replace").decode("utf-8")
        out, at = [], 0
        found = self.find(text)
        for one in found:
            out += [text[at : one.start], PLACEHOLDERS[one.kind]]
            at = one.end
        return "".join((*out, text[at:])), frozenset((one.kind, text[one.start : one.end]) for one in found)

    def scrub_all(self, value: Any) -> tuple[Any, frozenset[tuple[Kind, str]]]:
        """Plain data with every text in it scrubbed, names of fields left; and what was taken out.

        What is found in one text is taken out of all: elsewhere it may stand where no rule sees it.
        """
        taken: set[tuple[Kind, str]] = set()

        def one(text: str) -> str:
            scrubbed, found = self.scrub(text)
            taken.update(found)
            return scrubbed

        def rest(text: str) -> str:
            for kind, found in sorted(taken, key=lambda found: -len(found[1])):
                text = text.replace(found, PLACEHOLDERS[kind])
            return text

        return _mapped(_mapped(value, one), rest), frozenset(taken)

    def _keys(self, text: str) -> Iterator[Found]:
        yield from (Found("key", *match.span("key")) for match in _ASSIGNED.finditer(text))
        # The rules are made for code, where neither a sentence's mark nor a tag follows a key.
        scanned = _PROSE_MARK.sub(" ", text).encode("utf-8", "replace")
        with self._lock:
            secrets = {finding.secret for finding in self._ready().scan(scanned) if finding.visible}
        for secret in secrets:
            if len(secret) >= _SHORTEST_KEY:
                yield from (Found("key", *match.span()) for match in re.finditer(re.escape(secret), text))

    def _ready(self) -> "Scanner":
        if self._scanner is None:
            from kingfisher_sdk import Rules, Scanner  # noqa: PLC0415 - the page starts without it

            cached = self._cache_dir is not None
            self._scanner = Scanner(Rules(cache=cached, cache_dir=self._cache_dir), base64=False)
        return self._scanner


def _emails(text: str) -> Iterator[Found]:
    return (Found("email", *match.span()) for match in _EMAIL.finditer(text))


def _phones(text: str) -> Iterator[Found]:
    shown = text.translate(_BRACKETS)
    for region in _REGIONS:
        for match in PhoneNumberMatcher(shown, region, leniency=Leniency.STRICT_GROUPING):
            yield Found("phone", match.start, match.end)


def _mapped(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _mapped(one, change) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(one, change) for one in value]
    return value
