"""Values in, messages out, within the token budget.

The refiner's exact training prompt is not public, so the prompt is a text file (``answer_only.txt`` here, or
one's own by ``REFINER_PROMPT_FILE``) whose version travels with every result. Knows no model: tokens are
counted by whoever is given.
"""

import hashlib
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from string import Template

from refiner import evidence, sentences
from refiner.answer import defang
from refiner.domain import Answer, Claim, Message, Plain, Source, Trim
from refiner.errors import InputError

LIMIT = 6144
"""Tokens of a whole prompt: the prompt length that the refiner was trained with (its model card)."""

BUILT_IN = Path(__file__).with_name("answer_only.txt")

Count = Callable[[Sequence[str]], list[int]]
CountPrompt = Callable[[Sequence[Message]], int]


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model reads. ``sources`` are those that went in, as shortened; ``trims`` tells what did not."""

    messages: tuple[Message, ...]
    sources: tuple[Source, ...]
    trims: tuple[Trim, ...]
    tokens: int


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


def build(
    template: PromptTemplate,
    question: str,
    draft: Answer,
    sources: Sequence[Source],
    *,
    count: Count,
    count_prompt: CountPrompt,
    limit: int = LIMIT,
) -> Prompt:
    """The prompt of at most ``limit`` tokens.

    Sources that do not fit are shortened at sentence borders, the sentences least relevant to question and
    draft first. `InputError` with both numbers when question and draft alone are too long.
    """
    whole = template.messages(question, draft, sources)
    tokens = count_prompt(whole)
    if tokens <= limit:
        return Prompt(whole, tuple(sources), (), tokens)
    bare = count_prompt(template.messages(question, draft, ()))
    if bare > limit:
        raise InputError(
            f"The question and the draft alone take {bare:,} tokens; the model reads at most {limit:,}. "
            f"Shorten the draft by about {max(1, round((bare - limit) * 0.75)):,} words."
        )
    ranked = _ranked(f"{question}\n{draft.text}", sources, count)
    room = limit - bare
    while True:
        kept = _shortened(sources, ranked, room, count)
        messages = template.messages(question, draft, kept)
        tokens = count_prompt(messages)
        if tokens <= limit:
            return Prompt(messages, kept, _trims(sources, kept), tokens)
        room -= tokens - limit  # tokens merge and split where texts are joined, so sums are not exact


@dataclass(frozen=True, slots=True)
class _Ranked:
    """One sentence of one source, with what it costs and how relevant it is."""

    source: int
    number: int
    text: str
    tokens: int
    relevance: float


def _ranked(query: str, sources: Sequence[Source], count: Count) -> list[_Ranked]:
    """Every sentence of every source, most relevant first, earlier ones first among equals."""
    places = [
        (number, at, sentence.text)
        for number, source in enumerate(sources)
        for at, sentence in enumerate(sentences.split(source.text))
    ]
    texts = [text for _, _, text in places]
    costs = count([f" {text}" for text in texts])
    scores = evidence.rank(query, texts)
    found = [_Ranked(*place, cost, score) for place, cost, score in zip(places, costs, scores, strict=True)]
    return sorted(found, key=lambda one: (-one.relevance, one.source, one.number))


def _shortened(
    sources: Sequence[Source], ranked: Sequence[_Ranked], room: int, count: Count
) -> tuple[Source, ...]:
    """The sources with the most relevant sentences that ``room`` tokens hold, in their own order."""
    frames = count([_block(Source(source.id, "", source.title)) + "\n" for source in sources])
    kept: dict[int, list[_Ranked]] = {}
    for sentence in ranked:
        cost = sentence.tokens + (0 if sentence.source in kept else frames[sentence.source])
        if cost <= room:
            room -= cost
            kept.setdefault(sentence.source, []).append(sentence)
    return tuple(
        Source(source.id, " ".join(one.text for one in sorted(kept[n], key=lambda s: s.number)), source.title)
        for n, source in enumerate(sources)
        if n in kept
    )


def _trims(sources: Sequence[Source], kept: Sequence[Source]) -> tuple[Trim, ...]:
    left = {source.id: len(sentences.split(source.text)) for source in kept}
    counts = ((source.id, left.get(source.id, 0), len(sentences.split(source.text))) for source in sources)
    return tuple(Trim(one, part, whole) for one, part, whole in counts if part < whole)


def _fields(question: str, sources: Sequence[Source]) -> dict[str, str]:
    blocks = "\n".join(_block(source) for source in sources) or "(none)"
    return {"question": defang(question.strip()), "sources": blocks}


def _block(source: Source) -> str:
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
