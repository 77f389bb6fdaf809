"""Sources, and an answer as it was read: its claims and the text between them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd that reading met and dealt with: what it was, in words, and on which line."""

    code: str
    message: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One text that may be cited. ``id`` is opaque, and holds no blanks, brackets or ``, ; " ' < > =``."""

    id: str
    text: str
    title: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Plain:
    """A stretch that cites nothing: ``text == answer.raw[start:end]``."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Claim:
    """A stretch that cites: ``text == answer.raw[start:end]``; ``ids`` in the order written, no id twice."""

    text: str
    ids: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was read: its stretches in order, and a finding for every kind of repair."""

    raw: str
    parts: tuple[Plain | Claim, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def text(self) -> str:
        """The words without any markup."""
        return "".join(part.text for part in self.parts)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The stretches that cite, in order; the same text may come twice."""
        return tuple(part for part in self.parts if isinstance(part, Claim))
