"""The chats that a language model judge reads: one for each check.

Question and sources come first, as the prompt that writes shows them (`prompts.prompt_file`). Then come the scale, the
answer, and last what is asked. So a model that has just written from that prompt has read the beginning, and checks
about the same texts share theirs. Texts from models and people are fenced, and what looks like a tag or a turn of the
chat inside is made harmless. A fence around what is judged carries a hash of it. The wording is ours, because the
training's is not public.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from string import Template

from refiner.domain import Check, CheckKind, Message, Source
from refiner.formats.answer import defang
from refiner.prompts.prompt_file import PromptTemplate

TOP_SCORE = 2
"""The judge's scale is 0, 1, 2. A verdict's value is the score divided by this."""

DIGIT = "Reply with one digit: 0, 1 or 2."
JSON = (
    'Reply with one JSON object and nothing else: {"rationale": "one or two sentences", "score": 0, 1 or 2}'
)

SCALE = (
    "Judge strictly, and say only what the texts bear out. You give a score. Of a criterion, how far the answer meets it: 0 not at all, 1 in part, 2 fully. Of a fault, "
    "how far the answer shows it: 0 not at all, 1 in part or once, 2 clearly. Of a statement, how far the sources "
    "that are named, and they alone, support it: 0 if they do not or contradict it, 1 in part, 2 all of it."
)
_CRITERION = Template("How far does the answer meet this criterion?\n$criterion")
_FAULT = Template("How far does the answer show this fault?\n$criterion")
_ASKED: dict[CheckKind, Template] = {
    "support": Template("Do the sources $ids, and they alone, support this statement?\n$statement"),
    "needs_citation": Template(
        "Does this state a fact that a reader would want a source for? 0 no, 1 perhaps, 2 yes.\n$statement"
    ),
}
_FENCE_DIGITS = 6
"""Hex digits in a fence's name."""

_CLAIM = re.compile(r"</?snippet(?: id=[^<>\s]+)?>")
"""The only tags that an answer keeps, so that its citations can be judged (as `answer.write` writes them)."""
_FENCE = re.compile(r"<(?=\s*/?\s*(?:question|source|answer|statement|criterion)\b)", re.IGNORECASE)


def version(template: PromptTemplate | None = None) -> str:
    """A word for the wording, which changes whenever it does."""
    template = template or built_in()
    asked = (_CRITERION, _FAULT, *_ASKED.values())
    material = template.material_text("", ()) + "\n\n"
    text = "\n".join((template.system, material, SCALE, DIGIT, JSON, *(one.template for one in asked)))
    return f"judge-2-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@cache
def built_in() -> PromptTemplate:
    """The prompt that ships with Refiner."""
    return PromptTemplate.from_file()


def messages(
    check: Check, sources: Sequence[Source], reply: str, template: PromptTemplate | None = None
) -> tuple[Message, ...]:
    """The chat for one check. ``sources`` are shown, ``check.evidence`` is named; ``reply`` is `DIGIT` or `JSON`.

    It begins as the prompt of ``template`` does (the built-in one by default), so that a model which has just
    written from that prompt has read the beginning.
    """
    template = template or built_in()
    parts = [
        template.material_text(_without_fences(check.question), [_readable(source) for source in sources]),
        SCALE,
    ]
    if check.answer:
        parts.append(_fenced("answer", _only_claim_tags(check.answer)))
    parts.append(f"{_asked(check)}\n{reply}")
    return (Message("system", template.system), Message("user", "\n\n".join(parts)))


def _asked(check: Check) -> str:
    if check.criterion is None:
        ids = ", ".join(source.id for source in check.evidence)
        statement = _fenced("statement", defang(check.statement))
        return _ASKED[check.kind].substitute(statement=statement, ids=ids)
    words = f"{check.criterion.title}: {check.criterion.description}"
    asked = _FAULT if check.criterion.polarity == "negative" else _CRITERION
    return asked.substitute(criterion=_fenced("criterion", defang(words)))


def _readable(source: Source) -> Source:
    return replace(source, title=_without_fences(source.title), text=_without_fences(source.text))


def _without_fences(text: str) -> str:
    """The text without what looks like a judge's fence, and without half surrogate pairs, which have no UTF-8."""
    return _FENCE.sub("‹", text.encode("utf-8", "replace").decode())


def _only_claim_tags(answer: str) -> str:
    """The answer without its block's tags, and with no other tags than its claims'."""
    text = answer.removeprefix("<answer>").removesuffix("</answer>")
    pieces, at = [], 0
    for tag in _CLAIM.finditer(text):
        pieces += [defang(text[at : tag.start()]), tag[0]]
        at = tag.end()
    return "".join((*pieces, defang(text[at:])))


def _fenced(name: str, text: str) -> str:
    """The text inside a fence that it cannot close. A claim's own tags in an answer stay, because they are judged too."""
    inside = _without_fences(text).strip()
    code = hashlib.sha256(inside.encode()).hexdigest()[:_FENCE_DIGITS]
    return f"<{name}-{code}>\n{inside}\n</{name}-{code}>"
