"""Reads a text as an `Answer` of claims and plain stretches, and writes an answer in its canonical form.

Knows the format's tags and the bracket citations of drafts. Knows nothing of sources, models or HTML. Reading raises on
no text and takes linear time. Every kind of repair is one finding, with the line where it was first needed.

The codes of the findings: ``no_block``, ``several_blocks``, ``unclosed_answer``, ``outside_block``, ``unclosed_think``,
``unclosed_claim``, ``nested_claim``, ``empty_claim``, ``claim_without_id``, ``repeated_id``, ``stray_tag``,
``cut_tag`` and ``unknown_tag``. The last one repairs nothing: the tag stays in the text.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from refiner.domain import Answer, Claim, Finding, Plain
from refiner.formats import brackets, notation, tags
from refiner.formats.brackets import Stretch
from refiner.formats.tags import Tag

_CLAIM_NAMES = frozenset({"snippet", "snippets", "cite"})
_NAMES = ("answer", "snippets?", "cite", "think")
_FENCES = ("webpage", "tool_output", "question", "sources", "draft")  # of tool output, and of the prompt
_TAG = tags.pattern(*_NAMES)
_UNKNOWN_TAG = re.compile(r"</?[A-Za-z][\w:-]*+(?:\s[^<>]*+|/)?>")
_CUT_TAG = re.compile(r"<(/?)([A-Za-z]*+)(\s[^<>]{0,200}+)?+\Z")
_FIRST_LINE = re.compile(r"\s*+[^\r\n]*+")
_TAGLIKE = re.compile(
    rf"<(?=[^\W\d_]|[/|!?▁｜]|\s++(?:/\s*+)?(?:{'|'.join((*_NAMES, *_FENCES))})\b)", re.IGNORECASE
)

_MESSAGES = {
    "no_block": "There is no <answer> block; the whole text was read as the answer.",
    "several_blocks": "There is more than one <answer> block; the last was read.",
    "unclosed_answer": "The <answer> block is not closed.",
    "outside_block": "Text outside the <answer> block was left out.",
    "unclosed_think": "A <think> block is not closed; what follows it was left out up to the next answer.",
    "unclosed_claim": "A claim is not closed; it was ended at the next claim or the end of its line.",
    "nested_claim": "A claim stands inside another; they were read one after the other.",
    "empty_claim": "A claim without words was left out.",
    "claim_without_id": "A claim names no source; it was read as plain text.",
    "repeated_id": "A claim cites the same source twice; it was counted once.",
    "stray_tag": "A tag closes nothing; it was left out.",
    "cut_tag": "The text ends within a tag; it was left out.",
    "unknown_tag": "A tag that the format does not know was kept as text.",
}


class _Findings:
    """Counts repairs by kind, so that a hostile text makes a dozen findings and not a million."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._met: dict[str, list[int]] = {}

    def note(self, code: str, at: int, times: int = 1) -> None:
        """Record a repair at a position in the text."""
        first_and_count = self._met.setdefault(code, [at, 0])
        first_and_count[1] += times

    def all(self) -> tuple[Finding, ...]:
        """One finding for each code, in the order in which they were first needed."""
        return tuple(
            Finding(
                code,
                _MESSAGES[code] + (f" ({times} times)" if times > 1 else ""),
                tags.line_of(self._text, at),
            )
            for code, (at, times) in sorted(self._met.items(), key=lambda met: met[1][0])
        )


def parse(text: str, known_ids: Collection[str] = (), *, expect_block: bool = True) -> Answer:
    """Read an answer. Raises on no text. Every kind of repair is a finding.

    Bracket citations (``[1]``, ``[1, 2]``, ``[1-3]``, and ``[S17]`` for ``known_ids``) count only if no tag made a
    claim. ``expect_block`` False is for drafts: then a text without ``<answer>`` is no finding, and brackets count
    inside the block as well. A model that wrote the block cites by its tags alone.
    """
    findings = _Findings(text)
    end = _end_without_cut_tag(text, findings)
    found = _outside_thinking(text, end, findings)
    inside, start, end = _block(text, found, end, findings, expect_block=expect_block)
    stretches = _stretches(text, inside, start, end, findings)
    in_block = any(tag.name == "answer" for tag in found)
    tagged = any(ids and text[start:end].strip() for start, end, ids in stretches)
    if not tagged and not (expect_block and in_block):
        stretches = brackets.cite(text, [(start, end) for start, end, _ in stretches], known_ids)
    parts = _parts(text, stretches)
    for part in parts:
        unknown = list(_UNKNOWN_TAG.finditer(part.text))
        if unknown:
            findings.note("unknown_tag", part.start + unknown[0].start(), len(unknown))
    return Answer(text, parts, findings.all())


def _end_without_cut_tag(text: str, findings: _Findings) -> int:
    """Where the text ends, without a tag of the format that the end of the budget cut off."""
    match = _CUT_TAG.search(text)
    if not match:
        return len(text)
    closing, name, attributes = match[1], match[2].lower(), match[3]
    names = ("answer", "snippet", "snippets", "cite", "think")
    begun = any(known.startswith(name) for known in names) and (closing or len(name) > 1)
    if not (name in names if attributes else begun):
        return len(text)
    findings.note("cut_tag", match.start())
    return match.start()


def _outside_thinking(text: str, end: int, findings: _Findings) -> list[Tag]:
    """The format's tags before ``end``. Each stretch of thinking is one ``think`` tag."""
    spans, unclosed = tags.thinking(text[:end])
    if unclosed is not None:
        findings.note("unclosed_think", unclosed)
    thoughts = [Tag("think", closing=False, empty=True, attributes="", start=a, end=b) for a, b in spans]
    found: list[Tag] = []
    # The sort is stable: thinking comes before the tag that it begins with.
    for tag in sorted([*thoughts, *tags.find(_TAG, text[:end])], key=lambda tag: tag.start):
        if not found or tag.start >= found[-1].end:
            found.append(tag)
    return found


def _block(
    text: str, found: list[Tag], end: int, findings: _Findings, *, expect_block: bool
) -> tuple[list[Tag], int, int]:
    """The last answer block: the tags inside, and where it begins and ends."""
    blocks = _blocks(found, findings)
    if not blocks:
        if expect_block:
            findings.note("no_block", 0)
        return found, 0, end
    first, last = blocks[-1]
    if len(blocks) > 1:
        findings.note("several_blocks", found[first].start)
    at = 0
    inside = [
        (found[opening].start, found[close].end if close < len(found) else end) for opening, close in blocks
    ]
    for start, stop in sorted([*inside, *((tag.start, tag.end) for tag in found), (end, end)]):
        if text[at:start].strip():
            findings.note("outside_block", at)
        at = max(at, stop)
    return found[first + 1 : last], found[first].end, found[last].start if last < len(found) else end


def _blocks(found: Sequence[Tag], findings: _Findings) -> list[tuple[int, int]]:
    """The opening and closing tag of each block. An unclosed block ends at the next block's tag, or at no tag."""
    blocks: list[tuple[int, int]] = []
    opened: int | None = None
    for index, tag in enumerate(found):
        if tag.name != "answer":
            continue
        closing = tag.closing or (tag.empty and opened is not None)
        if opened is not None:
            blocks.append((opened, index))
            if not closing:
                findings.note("unclosed_answer", found[opened].start)
        elif closing:
            findings.note("stray_tag", tag.start)
        opened = None if closing else index
    if opened is not None:
        findings.note("unclosed_answer", found[opened].start)
        blocks.append((opened, len(found)))
    return blocks


def _stretches(text: str, found: Sequence[Tag], start: int, end: int, findings: _Findings) -> list[Stretch]:
    """The text between the tags, with what each stretch cites. Claims in claims come out side by side."""
    pairs = _pairs(found, findings)
    closers = frozenset(pairs.values())
    out: list[Stretch] = []
    stack: list[tuple[tuple[str, ...], int]] = []
    unclosed_ids: tuple[str, ...] = ()  # what an unclosed claim cites
    at, filled = start, 0
    sentinel = Tag("", closing=True, empty=False, attributes="", start=end, end=end)
    for index, tag in enumerate([*found, sentinel]):
        if text[at : tag.start].strip():
            filled += 1
            if unclosed_ids:
                line = _FIRST_LINE.match(text, at, tag.start)
                out.append((at, line.end() if line else tag.start, unclosed_ids))
                at, unclosed_ids = out[-1][1], ()
        out.append((at, tag.start, stack[-1][0] if stack else ()))
        at = tag.end
        if index in pairs:
            ids = _claim_ids(tag, findings)
            unclosed_ids = ids if pairs[index] is None else ()
            if pairs[index] is not None:
                stack.append((ids or (stack[-1][0] if stack else ()), filled))
        elif index in closers and stack.pop()[1] == filled:
            findings.note("empty_claim", tag.start)
    return out


def _pairs(found: Sequence[Tag], findings: _Findings) -> dict[int, int | None]:
    """The closing tag of each claim, or None. A closing tag closes the claim that was opened last."""
    pairs: dict[int, int | None] = {}
    opened: list[int] = []
    for index, tag in enumerate(found):
        if tag.name not in _CLAIM_NAMES:
            if tag.name == "think" and not tag.empty:
                findings.note("stray_tag", tag.start)
        elif tag.empty:
            findings.note("empty_claim", tag.start)
        elif not tag.closing:
            opened.append(index)
            pairs[index] = None
        elif opened:
            pairs[opened.pop()] = index
        else:
            findings.note("stray_tag", tag.start)
    closes = 0
    for index, close in sorted(pairs.items()):
        if close is None:
            findings.note("unclosed_claim", found[index].start)
        elif close < closes:
            findings.note("nested_claim", found[index].start)
        else:
            closes = close
    return pairs


def _claim_ids(tag: Tag, findings: _Findings) -> tuple[str, ...]:
    written = tags.ids(tag)
    ids = tuple(dict.fromkeys(written))
    if not ids:
        findings.note("claim_without_id", tag.start)
    if len(ids) < len(written):
        findings.note("repeated_id", tag.start)
    return ids


def _parts(text: str, stretches: Iterable[Stretch]) -> tuple[Plain | Claim, ...]:
    """Claims without white space around them, and plain stretches, joined where they touch. The ends are trimmed."""
    cut: list[Stretch] = []
    for start, end, ids in stretches:
        inner = text[start:end].strip() if ids else ""
        if not inner:
            _add(cut, start, end)
            continue
        first = start + text[start:end].index(inner)
        _add(cut, start, first)
        cut.append((first, first + len(inner), ids))
        _add(cut, first + len(inner), end)
    while cut and not text[cut[0][0] : cut[0][1]].strip():
        del cut[0]
    while cut and not text[cut[-1][0] : cut[-1][1]].strip():
        del cut[-1]
    parts: list[Plain | Claim] = []
    for index, (start, end, ids) in enumerate(cut):
        inner = text[start:end]
        first = end - len(inner.lstrip()) if index == 0 else start
        last = start + len(inner.rstrip()) if index == len(cut) - 1 else end
        inner = text[first:last]
        parts.append(Claim(inner, ids, first, last) if ids else Plain(inner, first, last))
    return tuple(parts)


def _add(cut: list[Stretch], start: int, end: int) -> None:
    if start == end:
        return
    if cut and not cut[-1][2] and cut[-1][1] == start:
        start = cut.pop()[0]
    cut.append((start, end, ()))


def write(answer: Answer) -> str:
    """The answer in its canonical form, which `parse` reads without a repair.

    If the text itself would read as a tag of the format (joined over a removed one, say), its ``<`` becomes ``‹``.
    """
    out: list[str] = []
    plain: list[str] = []
    for part in (*answer.parts, None):
        if isinstance(part, Plain):
            plain.append(part.text)
            continue
        out.append(_without_tags("".join(plain)))
        plain = []
        if part is not None:
            ids = ",".join(tags.safe_id(one) for one in part.ids)
            out.append(notation.claim(ids, _without_tags(part.text)))
    return notation.OPEN_ANSWER + "".join(out) + notation.CLOSE_ANSWER


def _without_tags(text: str) -> str:
    return _TAG.sub(lambda match: "‹" + match[0][1:], text)


def defang(text: str) -> str:
    """The text, of the same length, in which nothing begins like a tag. ``p < 0.05`` stays as it is."""
    return _TAGLIKE.sub("‹", text)


def invented_ids(answer: Answer, known: Collection[str]) -> tuple[str, ...]:
    """The cited ids that no source has, each once, in order."""
    cited = dict.fromkeys(one for claim in answer.claims for one in claim.ids)
    return tuple(one for one in cited if one not in known)
