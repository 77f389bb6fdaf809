"""One run as Markdown, to paste into a document or an issue: CommonMark with tables, no HTML.

Texts of people and models are written so that no Markdown parser takes their characters for markup.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from refiner.domain import Answer, Claim, ClaimSupport, Refinement, Reward, Source, Verdict
from refiner.render import verdicts
from refiner.render.changes.summary import change_summary
from refiner.render.html_text import count, is_web, number, without_control_characters
from refiner.render.scores import comparison
from refiner.render.scores.comparison import CriterionPair

_LINES = re.compile(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
_MARKUP = re.compile(
    r"[\\`*_\[\]~$^]|:(?=//)|(?<=www)\.", re.IGNORECASE
)  # the last two turn bare words into links
_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"}
"""Characters written as references. Some parsers know no backslash before them, or split a table's cells
first."""
_SAFE_IN_URL = "%/:?#[]@!$&'()*+,;=~-._"
_EARLY_ENDS = {"stopped": " The text was stopped by hand.", "budget": " The text ended at the token limit."}


def markdown(run: Refinement) -> str:
    """The refined answer and its sources, what changed, the scores, and who wrote and judged it."""
    numbers = {source.id: place for place, source in enumerate(run.request.sources, 1)}
    parts = (
        f"**Question.** {words(run.request.question)}",
        "### Refined answer",
        *_prose(run.answer, numbers),
        "### Sources",
        _sources(run.request.sources, run.answer),
        "### What changed",
        change_summary(run.changes),
        "### Scores",
        _scores(run),
        *(
            f"Partly scored. {words(why)}"
            for why in comparison.missing_total_reasons(run.draft_reward, run.reward)
        ),
        "### Criteria",
        _criteria(comparison.criterion_pairs(run.draft_reward, run.reward)),
        "### Claims to check",
        _to_check(run.reward, numbers),
        "### How this was made",
        _made_by(run),
    )
    return "\n\n".join(parts) + "\n"


def words(text: str) -> str:
    """Text as one line of a paragraph or a cell, in which nothing is markup."""
    return _paragraph_line(_escaped(_LINES.sub(" ", text)))


def _escaped(text: str) -> str:
    marked = _MARKUP.sub(lambda mark: "\\" + mark[0], without_control_characters(text))
    return re.sub("[&<>|]", lambda mark: _REFERENCES[mark[0]], marked)


def _paragraph_line(line: str) -> str:
    """A line, without the blanks around it, that does not begin a heading, a list or a rule."""
    return re.sub(r"^(?=[#+=:-])|^\d+(?=[.)])", lambda begin: begin[0] + "\\", line.strip())


def _prose(answer: Answer, numbers: Mapping[str, int]) -> list[str]:
    """The answer's paragraphs, with the numbers of the sources behind each claim."""
    lines = [""]
    for part in answer.parts:
        first, *more = map(_escaped, _LINES.split(part.text))
        lines[-1] += first
        lines += more
        if isinstance(part, Claim):
            lines[-1] += " " + _cites(part.ids, numbers)
    return [_paragraph_line(line) for line in lines if line.strip()]


def _cites(ids: Iterable[str], numbers: Mapping[str, int]) -> str:
    """``[1]``, escaped so that no definition in the document turns it into a link.

    ``[?]`` for what is no source.
    """
    return "".join(f"\\[{numbers.get(one, '?')}\\]" for one in ids)


def _sources(sources: Sequence[Source], answer: Answer) -> str:
    """The cited sources with their numbers, and how many were not cited."""
    cited = {one for claim in answer.claims for one in claim.ids}
    lines = [
        f"- \\[{place}\\] {_link(source.url, words(source.title) or words(f'Source {source.id}'))}"
        for place, source in enumerate(sources, 1)
        if source.id in cited
    ]
    left = len(sources) - len(lines)
    rest = [f"{count(left, 'source')} given and not cited."] if left else []
    return "\n\n".join(["\n".join(lines), *rest] if lines else rest)


def _link(url: str, shown: str) -> str:
    if not is_web(url):
        return shown
    return f"[{shown}](<{quote(url, _SAFE_IN_URL).replace('&', '&amp;')}>)"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _scores(run: Refinement) -> str:
    rows = (
        (row.name, comparison.aggregate_words(row.before), comparison.aggregate_words(row.after), row.how)
        for row in comparison.score_rows(run.draft_reward, run.reward)
    )
    return _table(("From 0 to 1", "Draft", "Refined", "How it was made"), rows)


def _criteria(pairs: Iterable[CriterionPair]) -> str:
    rows = (
        (
            words(pair.criterion.title) + (" (a fault)" if pair.criterion.polarity == "negative" else ""),
            f"{pair.criterion.weight:g}",
            _value(comparison.value_after_polarity(pair.criterion, pair.before)),
            _value(comparison.value_after_polarity(pair.criterion, pair.after)),
            _estimated(pair.after, "estimated: ") + words(pair.after.reason),
        )
        for pair in pairs
    )
    return _table(("Criterion", "Weight", "Draft", "Refined", "Why"), rows)


def _estimated(verdict: Verdict, said: str) -> str:
    return said if verdict.basis == "estimated" and verdict.value is not None else ""


def _value(value: float | None) -> str:
    return "not scored" if value is None else number(value)


def _to_check(reward: Reward, numbers: Mapping[str, int]) -> str:
    """The claims that cite nothing, cite no source, or are not fully supported, and how many are unscored."""
    supports = reward.citation.supports
    found = [
        one
        for one in supports
        if not numbers.keys() >= set(one.ids) or verdicts.verdict_tone(one.verdict) in {"bad", "fair"}
    ]
    unscored = sum(one.verdict.value is None for one in supports)
    lines = [_claim(one, numbers) for one in found] or ["No claim was found to be without support."]
    rest = f"\n\n{count(unscored, 'claim')} not scored." if unscored else ""
    return "\n".join(lines) + rest


def _claim(one: ClaimSupport, numbers: Mapping[str, int]) -> str:
    said = words(verdicts.support_label(one.verdict)) if one.ids else "no citation"
    how = _estimated(one.verdict, ", estimated")
    cites = " " + _cites(one.ids, numbers) if one.ids else ""
    return f"- “{words(one.text)}”{cites}: {said}{how}. {words(one.verdict.reason)}".rstrip()


def _made_by(run: Refinement) -> str:
    other = "" if run.model.is_refiner else ", which is not the refiner"
    guessed = (
        " What is called estimated is a heuristic’s, which reads no meaning." * comparison.has_estimates(run)
    )
    end = _EARLY_ENDS.get(run.usage.ended, "")
    return (
        f"Written by {words(run.model.name)}{other}, with prompt {words(run.prompt_version)}; scored by "
        f"{words(run.judge)}.{guessed}{end} The score is Refiner’s own, not the model’s."
    )
