"""Builds the prompt within its token budget. Sources that do not fit are shortened."""

from collections.abc import Sequence
from dataclasses import dataclass

from refiner.domain import Answer, Message, Source, Trim
from refiner.errors import InputError
from refiner.prompts.prompt_file import PromptTemplate, source_block
from refiner.prompts.token_counting import TokenCounter
from refiner.text import relevance, sentences

MAX_PROMPT_TOKENS = 6144
"""Tokens of a whole prompt: the prompt length that the refiner was trained with (its model card)."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model reads. ``sources`` are those that went in, as shortened. ``trims`` says what did not go in."""

    messages: tuple[Message, ...]
    sources: tuple[Source, ...]
    trims: tuple[Trim, ...]
    tokens: int


def build(
    template: PromptTemplate,
    question: str,
    draft: Answer,
    sources: Sequence[Source],
    counter: TokenCounter,
    *,
    limit: int = MAX_PROMPT_TOKENS,
) -> Prompt:
    """The prompt of at most ``limit`` tokens.

    Sources that do not fit are shortened at sentence borders. The sentences that are least relevant to question and
    draft go first. `InputError`, with both numbers, if question and draft alone are too long.
    """
    whole = template.messages(question, draft, sources)
    tokens = counter.count_prompt(whole)
    if tokens <= limit:
        return Prompt(whole, tuple(sources), (), tokens)
    bare = counter.count_prompt(template.messages(question, draft, ()))
    if bare > limit:
        raise InputError(
            f"The question and the draft alone take {bare:,} tokens; the model reads at most {limit:,}. "
            f"Shorten the draft by about {max(1, round((bare - limit) * 0.75)):,} words."
        )
    ranked = _ranked(f"{question}\n{draft.text}", sources, counter)
    room = limit - bare
    while True:
        kept = _shortened(sources, ranked, room, counter)
        messages = template.messages(question, draft, kept)
        tokens = counter.count_prompt(messages)
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


def _ranked(query: str, sources: Sequence[Source], counter: TokenCounter) -> list[_Ranked]:
    """Every sentence of every source, most relevant first, earlier ones first among equals."""
    places = [
        (number, at, sentence.text)
        for number, source in enumerate(sources)
        for at, sentence in enumerate(sentences.split(source.text))
    ]
    texts = [text for _, _, text in places]
    costs = counter.count([f" {text}" for text in texts])
    scores = relevance.rank(query, texts)
    found = [_Ranked(*place, cost, score) for place, cost, score in zip(places, costs, scores, strict=True)]
    return sorted(found, key=lambda one: (-one.relevance, one.source, one.number))


def _shortened(
    sources: Sequence[Source], ranked: Sequence[_Ranked], room: int, counter: TokenCounter
) -> tuple[Source, ...]:
    """The sources with the most relevant sentences that ``room`` tokens hold, in their own order."""
    frames = counter.count([source_block(Source(source.id, "", source.title)) + "\n" for source in sources])
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
