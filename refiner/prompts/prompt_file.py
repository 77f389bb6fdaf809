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
from refiner.formats import notation
from refiner.formats.answer import defang

BUILT_IN = Path(__file__).with_name("answer_only.txt")


_SECTION = re.compile(r"^--- (\w+)[ \t]*$", re.MULTILINE)
_FIELDS = {"system": set[str](), "material": {"question", "sources"}, "task": {"draft"}}
"""The sections of a prompt file, and the fields that each must hold."""
_HOW = "It must begin with a line 'version: …' and have the sections '--- system', '--- material' and '--- task'."


@dataclass(frozen=True, slots=True)
class PromptTemplate:
    """A prompt. ``$question``, ``$sources`` and ``$draft`` stand for the fields.

    ``system`` is the system message and ``user`` the user message. ``material`` is the part of it that holds question
    and sources, which a judge's prompt can begin with as well. ``version`` is the file's name, its own word for its
    version, and the first eight hex digits of the prompt's SHA-256.
    """

    system: str
    material: Template
    user: Template
    version: str

    @classmethod
    def from_file(cls, path: Path | None = None) -> "PromptTemplate":
        """Read a prompt file. `InputError` says what it lacks."""
        file = path or BUILT_IN
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"The prompt file {file} cannot be read: {error}") from error
        head, *parts = _SECTION.split(text)
        sections = {name: part.strip() for name, part in zip(parts[::2], parts[1::2], strict=True)}
        if not head.startswith("version:") or len(parts) > 2 * len(sections):
            raise InputError(f"The prompt file {file} cannot be used. {_HOW}")
        if sections.keys() == {"system", "user"}:  # the form of the first release
            _require(sections["user"], _FIELDS["material"] | _FIELDS["task"], f"{file}, section user")
            material, user = _material_of(sections["user"]), sections["user"]
        else:
            if sections.keys() != _FIELDS.keys():
                raise InputError(f"The prompt file {file} has the sections {', '.join(sections)}. {_HOW}")
            for name, fields in _FIELDS.items():
                _require(sections[name], fields, f"{file}, section {name}")
            material, user = sections["material"], f"{sections['material']}\n\n{sections['task']}"
        word = head.removeprefix("version:").strip()
        return cls(
            sections["system"],
            Template(material),
            Template(user),
            _version(file, word, sections["system"], user),
        )

    def material_text(self, question: str, sources: Sequence[Source]) -> str:
        """Question and sources as the prompt shows them."""
        return self.material.substitute(_fields(question, sources))

    def messages(self, question: str, draft: Answer, sources: Sequence[Source]) -> tuple[Message, ...]:
        """The chat. What looks like a tag inside a field is made harmless."""
        draft_text = _marked(shown(draft, sources)).strip()
        user = self.user.substitute(_fields(question, sources), draft=draft_text)
        return (Message("system", self.system), Message("user", user))


def _require(section: str, fields: set[str], where: str) -> None:
    """`InputError` unless the section holds exactly these fields."""
    template = Template(section)
    if not template.is_valid():
        raise InputError(f"The prompt file {where}, holds a bare $. Write $$ for a dollar sign.")
    found = set(template.get_identifiers())
    if fields - found:
        raise InputError(f"The prompt file {where}, lacks ${', $'.join(sorted(fields - found))}.")
    if found - fields:
        raise InputError(f"The prompt file {where}, cannot hold ${', $'.join(sorted(found - fields))}.")


def _material_of(user: str) -> str:
    """Question and sources of a user message in one section; the built-in material where they stand elsewhere."""
    before = user.partition("$draft")[0]
    material = before[: max(before.rfind("\n\n"), 0)].strip()
    if set(Template(material).get_identifiers()) == _FIELDS["material"]:
        return material
    return PromptTemplate.from_file().material.template


def _version(file: Path, word: str, system: str, user: str) -> str:
    """One version for one prompt, however its file is parted into sections."""
    whole = f"version: {word}\n--- system\n{system}\n--- user\n{user}\n"
    return f"{file.stem}-{word}-{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def _fields(question: str, sources: Sequence[Source]) -> dict[str, str]:
    blocks = "\n".join(source_block(source) for source in sources) or "(none)"
    return {"question": defang(question.strip()), "sources": blocks}


def source_block(source: Source) -> str:
    """A source in the prompt. Its URL is left out, because it would only cost tokens."""
    # Defanged as a whole, because what ends in "<" goes on in the next line.
    return notation.source(source.id, defang(notation.source_lines(source.text, source.title)))


def shown(draft: Answer, sources: Sequence[Source]) -> tuple[tuple[str, str], ...]:
    """The draft as the prompt shows it, in pairs (ids, text).

    The ids are joined by commas. They are '' where none of ``sources`` is cited. Stretches that cite none are joined
    before they are defanged, because two harmless halves can make a tag.
    """
    known = {source.id for source in sources}
    out: list[tuple[str, str]] = []
    for ids, parts in groupby(draft.parts, lambda part: _cited(part, known)):
        texts = [part.text for part in parts]
        out += [(ids, defang(text)) for text in texts] if ids else [("", defang("".join(texts)))]
    return tuple(out)


def _marked(parts: Sequence[tuple[str, str]]) -> str:
    """The draft in the output's own notation, so that a claim can be copied as it stands."""
    return "".join(notation.claim(ids, text) if ids else text for ids, text in parts)


def _cited(part: Plain | Claim, known: Collection[str]) -> str:
    return ",".join(one for one in part.ids if one in known) if isinstance(part, Claim) else ""
