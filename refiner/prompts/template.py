"""The prompt: a text file, and the messages that it makes of question, draft and sources.

The refiner's exact training prompt is not public, so the prompt is a text file (``answer_only.txt`` here, or
one's own by ``REFINER_PROMPT_FILE``) whose version travels with every result. Knows no model.
"""

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from string import Template

from refiner.domain import Answer, Claim, Message, Plain, Source
from refiner.errors import InputError
from refiner.formats.answer import defang

BUILT_IN = Path(__file__).with_name("answer_only.txt")


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A prompt text: ``$question``, ``$sources`` and ``$draft`` stand for the fields.

    ``version`` is the file's own word for it and the first eight hex digits of the text's SHA-256.
    """

    system: str
    user: Template
    version: str

    @classmethod
    def read(cls, path: Path | None = None) -> "PromptTemplate":
        """Read a template file; `InputError` says what it lacks."""
        file = path or BUILT_IN
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"The prompt file {file} cannot be read: {error}") from error
        parts = re.fullmatch(r"version:(.*)\n--- system\n(.*)\n--- user\n(.*)", text, re.DOTALL)
        wanted = {"question", "sources", "draft"}
        if parts is None or not Template(parts[3]).is_valid():
            raise InputError(
                f"The prompt file {file} must hold a line 'version: …', a line '--- system' and a line '--- user'."
            )
        missing = wanted - set(Template(parts[3]).get_identifiers())
        if missing:
            raise InputError(f"The prompt file {file} lacks ${', $'.join(sorted(missing))} in its user part.")
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return cls(parts[2].strip(), Template(parts[3].strip()), f"{file.stem}-{parts[1].strip()}-{digest}")

    def opening(self, question: str, sources: Sequence[Source]) -> tuple[str, str]:
        """The system's words, and the user's up to the draft: what a judge's prompt can begin with as well."""
        before = self.user.template.partition("$draft")[0]
        text = Template(before[: before.rfind("\n\n") + 2])
        return self.system, text.safe_substitute(_fields(question, sources))

    def messages(self, question: str, draft: Answer, sources: Sequence[Source]) -> tuple[Message, ...]:
        """The chat; what looks like a tag inside a field is made harmless."""
        draft_text = _marked(shown(draft, sources)).strip()
        user = self.user.substitute(_fields(question, sources), draft=draft_text)
        return (Message("system", self.system), Message("user", user))


def _fields(question: str, sources: Sequence[Source]) -> dict[str, str]:
    blocks = "\n".join(source_block(source) for source in sources) or "(none)"
    return {"question": defang(question.strip()), "sources": blocks}


def source_block(source: Source) -> str:
    """A source as the tool output that the refiner was trained on shows it; the URL would only cost tokens."""
    title = f"Title: {source.title}\n" if source.title else ""
    inside = defang(
        f"{title}Snippet: {source.text}\n"
    )  # as a whole: what ends in "<" goes on in the next line
    return f"<snippet id={source.id}>\n{inside}</snippet>"


def shown(draft: Answer, sources: Sequence[Source]) -> tuple[tuple[str, str], ...]:
    """The draft as the prompt shows it: (ids, text), the ids joined by commas; '' where none of ``sources`` is cited.

    What cites none is joined before it is defanged: two harmless halves can make a tag.
    """
    known = {source.id for source in sources}
    out: list[tuple[str, str]] = []
    for ids, parts in groupby(draft.parts, lambda part: _cited(part, known)):
        texts = [part.text for part in parts]
        out += [(ids, defang(text)) for text in texts] if ids else [("", defang("".join(texts)))]
    return tuple(out)


def _marked(parts: Sequence[tuple[str, str]]) -> str:
    """The draft in the output's own notation, so that a claim can be copied as it stands."""
    return "".join(f"<snippet id={ids}>{text}</snippet>" if ids else text for ids, text in parts)


def _cited(part: Plain | Claim, known: Collection[str]) -> str:
    return ",".join(one for one in part.ids if one in known) if isinstance(part, Claim) else ""
