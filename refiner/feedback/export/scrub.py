"""Replaces e-mail addresses, phone numbers and keys in texts that are exported or published. Knows no votes.

phonenumbers (Google's libphonenumber) finds the phone numbers. Kingfisher's rules find the keys. They scan in
this process and ask no server. A wrong match is as bad as a miss, because these texts are full of numbers.
`tests/feedback/test_scrub.py` measures both on a labelled set.
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

SensitiveKind = Literal["email", "phone", "key"]
PLACEHOLDERS: Mapping[SensitiveKind, str] = {
    "email": "[e-mail address]",
    "phone": "[phone number]",
    "key": "[key]",
}

_EMAIL = re.compile(
    # The letters of the last label share one case: "nDCG@10.The next" is the end of a sentence.
    r"(?<![\w.%+-])[\w%+-][\w.%+-]{0,63}@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:[a-z]{2,24}(?![a-z\d])|[A-Z]{2,24}(?!\w))"
)
_PHONE_REGIONS = ("US", "GB")
"""The regions whose national phone numbers are found.

Other numbers need a "+". With Germany's national forms, years would be taken for phone numbers.
"""
_BRACKETS = str.maketrans("[]", "||")  # or a citation after a number would be read as part of it
_KEY_ASSIGNMENT = re.compile(
    r"""(?i)(?<![^\W_])(?:(?:api|access)[_-]?key|passw(?:or)?d|pwd|secret|token)["']?\s{0,3}[:=]\s{0,3}["']?"""
    r"""(?=[^\s"',;]{0,200}\d)(?=[^\s"',;]{0,200}[A-Za-z])(?P<key>[^\s"',;<>\[\]]{8,200})"""
)
_PROSE_MARK = re.compile(r"[<>()\[\]{}|,!?»”’]|[.:](?=[\s<>()\[\]]|$)", re.MULTILINE)
_MIN_KEY_LENGTH = (
    8  # characters. A shorter match is an error of a rule, and would be cut out of ordinary words
)


@dataclass(frozen=True, slots=True)
class SensitiveSpan:
    """A string to take out: ``text[start:end]``."""

    kind: SensitiveKind
    start: int
    end: int


class Scrubber:
    """Finds and replaces such strings. Threads may share it.

    The first text loads Kingfisher's rules. That takes seconds, or a third of a second if ``cache_dir`` holds
    the rules compiled earlier.
    """

    def __init__(self, cache_dir: Path | None = None) -> None:
        self._cache_dir = cache_dir
        self._lock = threading.Lock()
        self._scanner: Scanner | None = None

    def find(self, text: str) -> tuple[SensitiveSpan, ...]:
        """Returns the strings to take out, in order and without overlap.

        Of two that overlap, the first one is kept.
        """
        found = [*self._find_keys(text), *_find_emails(text), *_find_phones(text)]
        kept: list[SensitiveSpan] = []
        for one in sorted(found, key=lambda found: (found.start, -found.end)):
            if not kept or one.start >= kept[-1].end:
                kept.append(one)
        return tuple(kept)

    def scrub(self, text: str) -> tuple[str, frozenset[tuple[SensitiveKind, str]]]:
        """Returns the text with placeholders, and the strings that they replace.

        Half a surrogate pair becomes a question mark.
        """
        text = text.encode("utf-8", "replace").decode("utf-8")
        out, at = [], 0
        found = self.find(text)
        for one in found:
            out += [text[at : one.start], PLACEHOLDERS[one.kind]]
            at = one.end
        return "".join((*out, text[at:])), frozenset((one.kind, text[one.start : one.end]) for one in found)

    def scrub_all(self, value: Any) -> tuple[Any, frozenset[tuple[SensitiveKind, str]]]:
        """Returns the plain data with every text scrubbed, and the strings taken out. Names of fields stay.

        A string found in one text is taken out of all texts, as no rule may match it elsewhere.
        """
        removed: set[tuple[SensitiveKind, str]] = set()

        def scrub_text(text: str) -> str:
            scrubbed, strings = self.scrub(text)
            removed.update(strings)
            return scrubbed

        def replace_known(text: str) -> str:
            for kind, found in sorted(removed, key=lambda found: -len(found[1])):
                text = text.replace(found, PLACEHOLDERS[kind])
            return text

        return _map_texts(_map_texts(value, scrub_text), replace_known), frozenset(removed)

    def _find_keys(self, text: str) -> Iterator[SensitiveSpan]:
        yield from (SensitiveSpan("key", *match.span("key")) for match in _KEY_ASSIGNMENT.finditer(text))
        # The rules are made for code, where no punctuation mark or tag follows a key.
        scanned = _PROSE_MARK.sub(" ", text).encode("utf-8", "replace")
        with self._lock:
            secrets = {finding.secret for finding in self._load_scanner().scan(scanned) if finding.visible}
        for secret in secrets:
            if len(secret) >= _MIN_KEY_LENGTH:
                yield from (
                    SensitiveSpan("key", *match.span()) for match in re.finditer(re.escape(secret), text)
                )

    def _load_scanner(self) -> "Scanner":
        if self._scanner is None:
            from kingfisher_sdk import Rules, Scanner  # noqa: PLC0415 - the page starts without it

            cached = self._cache_dir is not None
            self._scanner = Scanner(Rules(cache=cached, cache_dir=self._cache_dir), base64=False)
        return self._scanner


def _find_emails(text: str) -> Iterator[SensitiveSpan]:
    return (SensitiveSpan("email", *match.span()) for match in _EMAIL.finditer(text))


def _find_phones(text: str) -> Iterator[SensitiveSpan]:
    shown = text.translate(_BRACKETS)
    for region in _PHONE_REGIONS:
        for match in PhoneNumberMatcher(shown, region, leniency=Leniency.STRICT_GROUPING):
            yield SensitiveSpan("phone", match.start, match.end)


def _map_texts(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {name: _map_texts(one, change) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_map_texts(one, change) for one in value]
    return value
