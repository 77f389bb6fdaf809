"""A run as an SVG: well formed whatever the texts, its bars as long as the values, what is uncertain marked as such."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
import runs
from hypothesis import given, settings
from hypothesis import strategies as st

from refiner.domain import Aggregate, Criterion, Refinement
from refiner.render.export.figure import figure
from refiner.render.export.text_width import lines, width

SVG = "{http://www.w3.org/2000/svg}"
UNIT = 276
KNOWN = {f"{SVG}{name}" for name in ("svg", "title", "desc", "defs", "pattern", "path", "rect", "text")}
HOSTILE = [
    pytest.param("</text><script>bad()</script>", id="tags"),
    pytest.param("]]> &amp; &#x0; \" ' <!--", id="marks"),
    pytest.param("a\x00b\x0bc\x1bd\ud800e\ufffef\u202eg", id="what XML has not"),
    pytest.param("W" * 5_000, id="one long word"),
    pytest.param("漢" * 500, id="wide"),
    pytest.param("لماذا " * 200, id="from the right"),
    pytest.param("e" + "\u0301" * 500, id="marks on marks"),
    pytest.param("", id="nothing"),
]


def read(run: Refinement) -> ET.Element:
    return ET.fromstring(figure(run, runs.MADE))  # noqa: S314 - our own, and what is tested


def rects(svg: ET.Element, kind: str) -> list[tuple[float, float]]:
    """Where the bars of a kind begin and how long they are, the plot's unit as 1."""
    found = [one for one in svg.iter(f"{SVG}rect") if one.get("class") == kind]
    return [((float(one.get("x", 0)) - 270) / UNIT, float(one.get("width", 0)) / UNIT) for one in found]


def texts(svg: ET.Element) -> list[str]:
    return ["".join(one.itertext()) for one in svg.iter(f"{SVG}text")]


@pytest.mark.parametrize("words", HOSTILE)
def test_whatever_the_texts_are_it_is_xml_of_known_elements(words: str) -> None:
    svg = read(runs.run_of(words))
    assert {one.tag for one in svg.iter()} <= KNOWN
    assert not [name for one in svg.iter() for name in one.attrib if name.startswith("on") or "href" in name]
    assert max(map(len, texts(svg))) < 300


@given(st.text(st.characters(codec=None), max_size=80))
@settings(max_examples=50)
def test_any_words_are_well_formed_and_end_up_in_utf8(words: str) -> None:
    run = runs.run_of("plain")
    request = replace(run.request, question=words)
    assert ET.fromstring(figure(replace(run, request=request, judge=words)).encode())  # noqa: S314 - our own


def test_it_stands_alone_at_its_own_size_and_says_what_it_shows() -> None:
    svg = read(runs.samples()[1])
    assert svg.get("viewBox") == f"0 0 {svg.get('width')} {svg.get('height')}"
    assert svg.get("role") == "img"
    named = {one.get("id"): one.text or "" for one in svg if one.get("id")}
    assert set((svg.get("aria-labelledby") or "").split()) == set(named)
    assert "Score: draft 0.45, refined 0.50." in named["figure-desc"]
    assert "http" not in figure(runs.samples()[1]).replace("http://www.w3.org/2000/svg", "")


def test_bars_are_as_long_as_their_values() -> None:
    run = runs.samples()[1]
    before, after = run.draft_reward, run.reward
    for kind, one in (("draft", before), ("refined", after)):
        wanted = [one.total, one.rubric.total, one.citation.f1, one.citation.precision, one.citation.recall]
        assert [length for _, length in rects(read(run), kind)][:5] == pytest.approx(
            [figure.value for figure in wanted], abs=1e-4
        )


def test_what_was_not_scored_is_hatched_over_all_that_it_could_be_and_named() -> None:
    run = runs.samples()[0]
    svg = read(run)
    total = run.reward.total
    assert rects(svg, "open")[1] == pytest.approx((total.lo, total.hi - total.lo), abs=1e-4)
    assert texts(svg).count("not scored") == 2 * (1 + len(run.reward.rubric.verdicts))


def test_a_value_with_an_interval_shows_both() -> None:
    run = runs.samples()[1]
    reward = replace(run.reward, total=Aggregate(0.5, 0.4, 0.75, 0.9, 8))
    svg = read(replace(run, reward=reward))
    assert rects(svg, "open") == [pytest.approx((0.4, 0.35), abs=1e-4)]


def test_estimates_are_dashed_and_verdicts_are_not() -> None:
    for number, dashed in ((0, True), (1, False)):
        bars = [
            one for one in read(runs.samples()[number]).iter(f"{SVG}rect") if one.get("class") == "refined"
        ]
        assert {"stroke-dasharray" in one.attrib for one in bars} == {dashed}


def test_who_wrote_scored_and_when_stands_in_it() -> None:
    words = texts(read(runs.samples()[0]))
    assert "Written by \u2068scripted\u2069, not the refiner" in words
    assert "Scored by \u2068lexical estimate\u2069 · 2026-03-04" in words


def test_of_many_criteria_twenty_are_shown_and_the_rest_counted() -> None:
    run = runs.samples()[1]
    _, verdict = run.reward.rubric.verdicts[0]
    many = tuple((Criterion(str(n), f"Criterion {n}", ""), verdict) for n in range(33))
    words = texts(
        read(replace(run, reward=replace(run.reward, rubric=replace(run.reward.rubric, verdicts=many))))
    )
    assert "… 13 more" in words
    assert "\u2068Criterion 19\u2069" in words
    assert "\u2068Criterion 20\u2069" not in words


@given(st.text(max_size=200), st.floats(2, 40), st.integers(1, 3))
def test_lines_are_no_wider_than_asked_and_lose_nothing_but_the_end(
    words: str, ems: float, most: int
) -> None:
    broken = lines(words, ems, most)
    assert len(broken) <= most
    assert all(
        width(line) <= ems for line in broken if len(line) > 2
    )  # a letter and its ellipsis stand in any case
    shown = "".join(broken).replace(" ", "").removesuffix("…")
    assert "".join(words.split()).startswith(shown)
