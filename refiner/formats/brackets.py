"""Reads the bracket citations of prose, ``… found [1, 2].``: which brackets cite, and which words each covers.

A bracket covers the stretch of its sentence before it. A bracket after the full stop belongs to the sentence before. If
the bracket is the sentence's subject ("In contrast, [4] proposes …", "[0] finds …"), it covers the rest of the sentence.
A bracket that begins a line and is cited elsewhere begins an entry of a reference list, and cites nothing. Knows no
tags.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from refiner.text import sentences

_BRACKET = re.compile(r"\[([^\[\]\r\n]{1,200})\]")
_JOINT = re.compile(r"[ \t]*+(?:[,;&/]|and|or)?[ \t]*+")
_LEAD = re.compile(r"[\s.,;:!?)\]]*+")
_DASH = re.compile(r"\s*+[-‐‑–—]\s*+")
_RANGE = re.compile(r"([0-9]{1,3})-([0-9]{1,3})")
_NUMBER = re.compile(r"[0-9]{1,3}")
_IDLIKE = re.compile(r"\w*[0-9][\w.:-]*")
_CONJUNCTION = re.compile(r"(?:and|or|but|nor|while|whereas)\b")
_BLANK = re.compile(r"[^\S\r\n]*+")
_ROW = re.compile(r"[^\r\n]*+")
_MIN_CLAIM_WORDS = 4
"""If a bracket is a sentence's subject, fewer words stand before it, and as many or more after it."""
_MIN_WRAPPED_LINE = 60
"""Characters. A shorter line was not broken for its length."""
_MAX_RANGE = 30
"""A range of more numbers, like ``[100-400]``, is no range of sources."""


_Ids = dict[str, None]
"""Ids in order, each once."""
Stretch = tuple[int, int, tuple[str, ...]]
"""``text[start:end]`` and the ids that it cites."""


@dataclass(slots=True)
class _Group:
    """Brackets side by side at ``text[start:end]``, and what they cite."""

    start: int
    end: int
    ids: _Ids
    low: int = field(init=False)  # where the stretch may begin that it covers
    stop: int = field(init=False)  # where the words before it end
    word: int | None = field(init=False)  # the last letter or digit of those words; None if there are none
    same_line: bool = field(init=False)  # whether no line ends between the bracket before and this one


def cite(raw: str, spans: Sequence[tuple[int, int]], known: Collection[str]) -> list[Stretch]:
    """Stretches of ``raw`` with what they cite, without the brackets.

    ``spans`` are the stretches of ``raw`` that make up the text, in order. Tags may have stood between them.
    """
    text = "".join(raw[start:end] for start, end in spans)
    groups = _groups(text, known)
    cuts = _cuts(text, groups) if groups else [(0, len(text), ())]
    return list(_onto_raw(cuts, spans))


def _groups(text: str, known: Collection[str]) -> list[_Group]:
    groups: list[_Group] = []
    for match in _BRACKET.finditer(text):
        ids = _cited(match[1], known)
        if not ids:
            continue
        start, end = match.span()
        if groups and _JOINT.fullmatch(text, groups[-1].end, start):
            groups[-1].end = end
            groups[-1].ids |= dict.fromkeys(ids)
        else:
            groups.append(_Group(start, end, dict.fromkeys(ids)))
    for group in groups:
        if text[group.start - 1 : group.start] == "(" and text[group.end : group.end + 1] == ")":
            group.start -= 1
            group.end += 1
    _find_words_before(text, groups)
    return groups


def _cited(inner: str, known: Collection[str]) -> list[str]:
    """The ids in a bracket. None, unless every item in it is a citation."""
    if inner.strip() in known:
        return [inner.strip()]
    ids: list[str] = []
    items = [item for item in re.split(r"[,;\s]+", _DASH.sub("-", inner)) if item]
    among_known = any(item in known for item in items)
    for item in items:
        span = _RANGE.fullmatch(item)
        if item in known or _NUMBER.fullmatch(item) or (among_known and _IDLIKE.fullmatch(item)):
            ids.append(item)
        elif span and 0 < int(span[2]) - int(span[1]) < _MAX_RANGE:
            ids += [str(number) for number in range(int(span[1]), int(span[2]) + 1)]
        else:
            return []
    return ids


def _find_words_before(text: str, groups: Sequence[_Group]) -> None:
    """Find the words before each bracket: on its line, or on the line above if that is wrapped."""
    floor = 0
    for group in groups:
        line = max(text.rfind("\n", floor, group.start), text.rfind("\r", floor, group.start)) + 1
        group.low = max(floor, line)
        group.stop = group.low + len(text[group.low : group.start].rstrip())
        group.word = _last_word(text, group.low, group.stop)
        group.same_line = not line
        if group.word is None and line:
            above = text[floor:line].rstrip()
            begin = floor + max(above.rfind("\n"), above.rfind("\r")) + 1
            row = text[begin : floor + len(above)]
            gap = text[floor + len(above) : line].replace("\r\n", "\n")
            if len(row) >= _MIN_WRAPPED_LINE and len(gap) == 1 and (row[-1].isalnum() or row[-1] in ",)"):
                group.low, group.stop = begin, begin + len(row)
                group.word = _last_word(text, group.low, group.stop)
        floor = group.end


def _last_word(text: str, low: int, stop: int) -> int | None:
    return next((index for index in range(stop - 1, low - 1, -1) if text[index].isalnum()), None)


def _cuts(text: str, groups: Sequence[_Group]) -> list[Stretch]:
    """The text in order without its citing brackets, each claim with its ids."""
    cuts: list[Stretch] = []
    at = 0
    for start, end, ids in sorted(_covered(text, groups), key=lambda span: span[:2]):
        cuts.append((at, start, ()))
        if ids is not None:
            cuts.append((start, end, tuple(ids)))
        at = end
    cuts.append((at, len(text), ()))
    return cuts


def _covered(text: str, groups: Sequence[_Group]) -> list[tuple[int, int, _Ids | None]]:
    """The stretch that each bracket covers, with its ids, and the brackets to drop, with None."""
    split = sentences.split(text)
    starts = [sentence.start for sentence in split]
    inline = {one for group in groups if group.word is not None for one in group.ids}
    cover: list[tuple[int, int, _Ids | None]] = []
    home: _Ids | None = None  # of the claim before, on the same line
    taken = 0  # where that claim ends
    for group, following in zip_longest(groups, groups[1:]):
        limit = following.start if following else len(text)
        after = _skip_blanks(text, group.end)
        ahead = False
        inside = group.same_line if group.word is None else group.word < taken
        if home is not None and inside:
            home |= group.ids
        elif group.word is not None:
            sentence = split[bisect_right(starts, group.word) - 1]
            ahead = _names_subject(text, group, sentence, limit)
            low = max(group.low, sentence.start, taken)
            start = after if ahead else _skip_lead(text, low, group.word)
            home, taken = group.ids, sentence.end if ahead else group.stop
            cover.append((start, taken, home))
        elif inline.isdisjoint(group.ids) and _count_words(text, after, limit) >= _MIN_CLAIM_WORDS:
            sentence = split[bisect_right(starts, after) - 1]
            ahead, home = True, group.ids
            if following and limit < sentence.end:
                following.ids = group.ids | following.ids  # "[1] finds that … [2]": both cover it
            else:
                taken = max(after, sentence.end)
                cover.append((_skip_lead(text, after, taken), taken, home))
        else:  # an entry of a reference list
            home = None
            continue
        cover.append((*_dropped(text, group, ahead=ahead), None))
    return cover


def _names_subject(text: str, group: _Group, sentence: sentences.Sentence, limit: int) -> bool:
    """Whether the bracket is a sentence's subject, as in "In contrast, [4] proposes …"."""
    after = _skip_blanks(text, group.end)
    return (
        group.low <= sentence.start
        and after < sentence.end <= limit
        and text[after].isalnum()
        and not _CONJUNCTION.match(text, after)
        and len(text[sentence.start : group.start].split()) < _MIN_CLAIM_WORDS
        and len(text[after : sentence.end].split()) >= _MIN_CLAIM_WORDS
    )


def _dropped(text: str, group: _Group, *, ahead: bool) -> tuple[int, int]:
    """The bracket with the blanks before it. If those part words or lines, with the blanks after it, or with none."""
    before = text[group.stop : group.start]
    glued = not before and group.word is not None  # "Smith[4] proposes …"
    if (ahead and not glued) or "\n" in before or "\r" in before:
        return group.start, _skip_blanks(text, group.end)
    parts = text[group.end : group.end + 1].isalnum() or text[group.end : group.end + 1] in tuple("([")
    return (group.start if parts else group.stop), group.end


def _skip_blanks(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at


def _skip_lead(text: str, at: int, end: int) -> int:
    """Past the blanks and punctuation that begin no claim."""
    lead = _LEAD.match(text, at, end)
    return lead.end() if lead else at


def _count_words(text: str, start: int, end: int) -> int:
    row = _ROW.match(text, start, end)
    return sum(any(map(str.isalnum, word)) for word in row[0].split()) if row else 0


def _onto_raw(cuts: Sequence[Stretch], spans: Sequence[tuple[int, int]]) -> Iterator[Stretch]:
    """The stretches of the joined text as stretches of the raw text. A stretch over two spans becomes two."""
    index = base = 0  # base: where spans[index] begins in the joined text
    for cut_start, end, ids in cuts:
        start = cut_start
        while start < end:
            first, last = spans[index]
            if start >= base + last - first:
                base += last - first
                index += 1
                continue
            stop = min(end, base + last - first)
            yield first + start - base, first + stop - base, ids
            start = stop
