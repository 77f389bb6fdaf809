"""What reaches the page: whole, escaped, and told apart by words. Read back with the standard HTML parser."""

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refiner.diff import compare
from refiner.domain import (
    Aggregate,
    Change,
    CitationReward,
    ClaimSupport,
    Criterion,
    Finding,
    GenerationProgress,
    JudgingProgress,
    ModelInfo,
    Passage,
    Prepared,
    Refinement,
    Request,
    Reward,
    RubricReward,
    Source,
    Token,
    Trim,
    Usage,
    Verdict,
)
from refiner.formats.answer import parse
from refiner.render import html_text, model_notes, progress, result, verdicts
from refiner.render.changes import diff
from refiner.render.citations import cards
from refiner.render.progress import Step
from refiner.render.scores import criteria, totals

TAGS = frozenset(
    [
        "a",
        "article",
        "b",
        "bdi",
        "button",
        "code",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "h2",
        "h3",
        "h4",
        "i",
        "input",
        "ins",
        "kbd",
        "li",
        "mark",
        "ol",
        "p",
        "section",
        "small",
        "span",
        "summary",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "time",
        "tr",
        "caption",
        "ul",
    ]
)
HOSTILE = [
    pytest.param("<script>window.bad=1</script>", id="script"),
    pytest.param("</bdi></p></div><img src=x onerror=window.bad=1>", id="break-out"),
    pytest.param('" onmouseover="window.bad=1" x="', id="attribute"),
    pytest.param("' onfocus='window.bad=1' autofocus='", id="single-quoted-attribute"),
    pytest.param("${window.bad=1}", id="template-literal"),
    pytest.param("`${window.bad=1}`", id="backticks"),
    pytest.param("{{window.bad=1}}{{#each this}}", id="handlebars"),
    pytest.param("<svg/onload=window.bad=1>", id="svg"),
    pytest.param("<style>*{display:none}</style>", id="style"),
    pytest.param("<!-- comment --><![CDATA[x]]><?php ?>", id="declarations"),
    pytest.param("&lt;script&gt;&#60;b&#62;&amp;", id="references"),
    pytest.param("a\u202eb\u202dc\u2066d", id="bidi"),
    pytest.param("a\x00b\x1bc\ud800d", id="controls"),
]
BAD_LINKS = [
    pytest.param("javascript:alert(1)", id="javascript"),
    pytest.param("JaVaScRiPt:alert(1)", id="mixed-case"),
    pytest.param("java\nscript:alert(1)", id="newline"),
    pytest.param(" javascript:alert(1)", id="blank"),
    pytest.param("data:text/html,<script>1</script>", id="data"),
    pytest.param("vbscript:x", id="vbscript"),
    pytest.param("file:///etc/passwd", id="file"),
    pytest.param("//host/path", id="no-scheme"),
    pytest.param("https://", id="no-host"),
    pytest.param("https://[bad", id="bad-host"),
    pytest.param("https://a b/", id="with-a-blank"),
    pytest.param("https://a/\u202egpj", id="turned-around"),
]


class Read(HTMLParser):
    """Tags, attributes and text of a piece of HTML; a broken nesting fails."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "input":  # the one element of ours that has no end
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment came through: {data}")

    def handle_decl(self, decl: str) -> None:
        pytest.fail(f"a declaration came through: {decl}")

    def handle_pi(self, data: str) -> None:
        pytest.fail(f"an instruction came through: {data}")

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] or "" for _, attributes in self.tags if name in attributes]


def aggregate(value: float | None, lo: float = 0.0, hi: float = 1.0, n: int = 3) -> Aggregate:
    return Aggregate(
        value, lo if value is None else value, hi if value is None else value, float(value is not None), n
    )


def reward(words: str = "w", value: float | None = 0.5, *, basis: str = "judged") -> Reward:
    verdict = Verdict(value, basis, words, words, words, words if basis == "estimated" else "", (words,))  # type: ignore[arg-type]  # a table's word
    criterion = Criterion("c1", words, words)
    fault = Criterion("c2", words, words, polarity="negative")
    supports = (
        ClaimSupport(words, ("s1",), verdict, (verdict,)),
        ClaimSupport(words, (), Verdict(0.0, "fact", words, words)),
        ClaimSupport(words, ("s1", "zz"), Verdict(None, "judged", words, words)),
    )
    figure = aggregate(value)
    citation = CitationReward(figure, figure, figure, 1.0, supports, verdict.basis, words)
    rubric = RubricReward(((criterion, verdict), (fault, Verdict(None, "judged", words, words))), figure)
    return Reward(rubric, citation, figure, verdict.basis, words)


def run(
    words: str = "Some words. More of them.", before: Reward | None = None, after: Reward | None = None
) -> Refinement:
    sources = (Source("s1", words, words, words), Source("s2", "Text.", "", "https://example.org/a?b=c&d"))
    draft = parse(f"{words} [s1]", ["s1"], expect_block=False)
    answer = parse(f"<answer>Plain. <snippet id=s1,zz>{words}</snippet></answer>", ["s1"])
    return Refinement(
        Request(words, words, sources),
        ModelInfo(words, is_refiner=False, detail=words),
        words,
        words,
        words,
        (Trim("s1", 1, 3), Trim("s2", 0, 2)),
        draft,
        answer,
        compare(draft, answer),
        before or reward(words),
        after or reward(words, 0.75),
        Usage(10, 20, 5, 0.5, 3.0, ended="stopped"),
        7,
    )


RENDERERS: list[tuple[str, Callable[[str], str]]] = [
    ("escape", html_text.escape),
    ("isolate", html_text.isolate),
    ("link", lambda words: html_text.link(words, words)),
    ("link-words", lambda words: html_text.link("https://example.org/", words)),
    ("badge", lambda words: verdicts.support_badge(Verdict(0.3, "estimated", words, words, label=words))),
    (
        "chips",
        lambda words: cards.CitationCards((Source(words, words, words, words),)).chips(
            (words, "other"), words
        ),
    ),
    (
        "passage",
        lambda words: cards.source_text(
            Source("s1", f"A first one. {words}"), Passage("s1", 13, 13 + len(words))
        ),
    ),
    ("finished", lambda words: result.finished(run(words))),
    (
        "writing",
        lambda words: result.writing(f"<answer><snippet id=s1>{words}</snippet> {words}", run(words).request),
    ),
    ("judging", lambda words: result.judging(_judging(words), run(words).request)),
    ("status", lambda words: result.status(words, words)),
    (
        "model",
        lambda words: (
            model_notes.model_line(ModelInfo(words, is_refiner=False))
            + model_notes.model_note(ModelInfo(words, is_refiner=False))
        ),
    ),
    ("read-note", lambda words: result.read_note((Source(words, words),), (Finding("x", words, 3),))),
    (
        "scores",
        lambda words: (
            totals.totals_table(reward(words), reward(words), (words, words))
            + criteria.criteria_list(reward(words), reward(words, None), (words, words))
        ),
    ),
    ("compared", lambda words: result.compared((run(), run(words)), (words, words))),
    ("kept", lambda words: result.finished(run(), None, words)),
    ("steps", lambda words: progress.steps((Step(words, "now", 1.0, 2.0), Step(words)), words)),
    (
        "rubric-note",
        lambda words: (
            result.rubric_note((), (Finding("x", words, 3),))
            + result.rubric_note((Criterion("c", words, words),), ())
        ),
    ),
]


def _judging(words: str) -> JudgingProgress:
    done = run(words)
    return JudgingProgress(done.answer, done.draft, done.changes, done.usage, 1, 9)


@pytest.mark.parametrize(("name", "render"), RENDERERS, ids=[name for name, _ in RENDERERS])
@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_text_stays_text_through_every_renderer(
    name: str, render: Callable[[str], str], words: str
) -> None:
    page = render(words)
    read = Read(page)
    assert {tag for tag, _ in read.tags} <= TAGS, name
    assert not [key for _, attributes in read.tags for key in attributes if key.startswith("on")]
    assert "${" not in page
    assert "{{" not in page
    assert not set("\u202d\u202e\u2066\x00\x1b\ud800") & set(page + "".join(read.attributes("aria-label")))
    page.encode()  # what a lone surrogate would not survive


@given(st.text(st.characters(codec=None), max_size=60))
def test_any_text_reads_back_as_that_text_and_makes_no_tag(words: str) -> None:
    read = Read(html_text.isolate(words))
    assert [tag for tag, _ in read.tags] == ["bdi"]
    assert read.text == html_text.without_control_characters(words)


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_draft_and_output_render_to_known_tags_only(first: str, second: str) -> None:
    done = run(first)
    answer = parse(second, ["s1"])
    page = diff.diff_views(compare(done.draft, answer), answer, cards.CitationCards(done.request.sources))
    assert {tag for tag, _ in Read(page).tags} <= TAGS


@pytest.mark.parametrize("url", BAD_LINKS)
def test_only_web_links_become_links(url: str) -> None:
    assert Read(html_text.link(url, "words")).attributes("href") == []
    assert html_text.host(url) == ""


def test_a_web_link_opens_elsewhere_and_tells_nothing() -> None:
    [(_, attributes), _] = Read(html_text.link("https://example.org/?a=1&b=2", "words")).tags
    assert attributes["href"] == "https://example.org/?a=1&b=2"
    assert attributes["rel"] == "noopener noreferrer"


def test_every_id_on_a_result_stands_once_and_every_chip_opens_a_card() -> None:
    read = Read(result.finished(run()))
    ids = read.attributes("id")
    assert len(ids) == len(set(ids))
    assert set(read.attributes("popovertarget")) <= set(ids)
    assert set(read.attributes("aria-labelledby")) <= set(ids)


def test_while_it_is_written_a_citation_is_numbered_but_opens_nothing() -> None:
    page = result.writing("<answer><snippet id=s2>A claim.</snippet> And", run().request)
    assert Read(page).text.endswith("A claim.source 2 And")
    assert "popover" not in page


def test_an_invented_citation_is_named_as_such_and_opens_nothing() -> None:
    page = cards.CitationCards((Source("s1", "Text."),)).chips(("zz",), "A claim.")
    assert "none of the sources" in Read(page).text
    assert Read(page).attributes("popovertarget") == []


def test_a_card_marks_the_sentence_nearest_to_the_claim() -> None:
    source = Source("s1", "The sky is blue. Grass grows green in spring. Water is wet.")
    made = cards.CitationCards((source,))
    made.chips(("s1",), "In spring the grass is green.")
    page = made.popovers()
    assert (
        page.partition("<mark>")[2]
        .partition("</mark>")[0]
        .endswith("<bdi>Grass grows green in spring.</bdi>")
    )


def test_a_long_source_is_cut_around_its_marked_sentence() -> None:
    filler = "Nothing of interest stands here. " * 1000
    text = f"{filler}Quartz melts slowly. {filler}"
    start = len(filler)
    page = cards.source_text(Source("s1", text), Passage("s1", start, start + len("Quartz melts slowly.")))
    assert "Quartz melts slowly." in page
    assert len(page) < 8000
    assert page.count("characters]") == 2


SUPPORTS = [
    pytest.param(Verdict(1.0, "judged", "", "j"), "supported", "good", id="judged-full"),
    pytest.param(Verdict(0.5, "judged", "", "j"), "partly supported", "fair", id="judged-part"),
    pytest.param(Verdict(0.0, "judged", "", "j"), "not supported", "bad", id="judged-none"),
    pytest.param(
        Verdict(0.9, "estimated", "", "l", label="no problem found"),
        "no problem found",
        "open",
        id="estimate",
    ),
    pytest.param(Verdict(0.9, "estimated", "", "l"), "estimated 0.90", "open", id="estimate-without-label"),
    pytest.param(Verdict(None, "judged", "why", "j"), "not scored", "none", id="unscored"),
]


@pytest.mark.parametrize(("verdict", "words", "tone"), SUPPORTS)
def test_a_verdict_is_told_apart_by_its_words(verdict: Verdict, words: str, tone: str) -> None:
    assert verdicts.support_label(verdict) == words
    assert verdicts.verdict_tone(verdict) == tone


def test_an_estimate_never_says_supported() -> None:
    assert not [
        v for v in range(101) if "supported" in verdicts.support_label(Verdict(v / 100, "estimated", "", "l"))
    ]


def test_a_total_that_is_open_shows_its_range_and_why() -> None:
    open_ = Reward(
        reward().rubric, reward().citation, aggregate(None, 0.062, 0.891), "estimated", "No judge was there."
    )
    read = Read(totals.totals_table(open_, open_))
    assert "0.06–0.89" in read.text
    assert "Partly scored. No judge was there." in read.text


def test_criteria_unscored_for_one_reason_say_it_once() -> None:
    why = Verdict(None, "judged", "It takes a language model.", "l")
    pairs = tuple((Criterion(f"c{n}", f"T{n}", "D"), why) for n in range(5))
    one = Reward(RubricReward(pairs, aggregate(None)), reward().citation, aggregate(None), "estimated")
    assert Read(criteria.criteria_list(one, one)).text.count("It takes a language model.") == 1


def test_a_criterion_that_nobody_gave_is_marked_as_suggested() -> None:
    verdict = Verdict(1.0, "judged", "so", "j")
    for origin, marked in (("generated", True), ("user", False)):
        criterion = Criterion("c", "T", "D", origin=origin)  # type: ignore[arg-type]  # both are origins
        rubric = RubricReward(((criterion, verdict),), Aggregate(1.0, 1.0, 1.0, 1.0, 1))
        page = criteria.criteria_list(
            replace(run("x").reward, rubric=rubric), replace(run("x").reward, rubric=rubric)
        )
        assert ('<span class="tag">suggested</span>' in page) == marked


def test_a_fault_that_was_found_counts_against_the_answer() -> None:
    fault = Criterion("f", "Padding", "Padded.", polarity="negative")
    one = Reward(
        RubricReward(((fault, Verdict(1.0, "judged", "Much.", "j")),), aggregate(0.0)),
        reward().citation,
        aggregate(0.0),
        "judged",
    )
    assert "Refined0.00" in Read(criteria.criteria_list(one, one)).text


def test_changed_words_are_named_for_screen_readers() -> None:
    change = Change(
        "edited", (Token("big ", changed=True), Token("dog")), (Token("small ", changed=True), Token("dog"))
    )
    page = diff.diff_views((change,), parse("<answer>small dog</answer>"), cards.CitationCards(()))
    assert '<del><span class="sr">removed: </span><bdi>big</bdi></del>' in page
    assert '<ins><span class="sr">added: </span><bdi>small</bdi></ins>' in page


def test_the_inline_view_writes_what_both_have_once() -> None:
    same = Token("dog")
    change = Change("edited", (Token("big ", changed=True), same), (Token("small ", changed=True), same))
    page = diff.diff_views((change,), parse(""), cards.CitationCards(()))
    inline = Read(
        page.partition('view-inline prose">')[2]
        .partition('<div class="view view-clean')[0]
        .removesuffix("</div>")
    )
    assert inline.text == "removed: big added: small dog"


WORDS = st.lists(
    st.sampled_from(["the", "quick", "brown", "fox", "jumps", "over", "[1]", "[2]"]), max_size=12
)


@given(WORDS, WORDS)
def test_the_inline_view_holds_the_draft_without_what_came_and_the_refined_without_what_went(
    before: list[str], after: list[str]
) -> None:
    draft, refined = (parse(" ".join(words), ["1", "2"], expect_block=False) for words in (before, after))
    page = diff.diff_views(
        compare(draft, refined), refined, cards.CitationCards((Source("1", "T"), Source("2", "U")), "")
    )
    inline = page.partition('view-inline prose">')[2].partition('<div class="view view-clean')[0]
    for gone, answer in (("ins", draft), ("del", refined)):
        kept = re.sub(rf"<{gone}>.*?</{gone}>", "", re.sub(r'<span class="sr">[^<]*</span>', "", inline))
        read = Read(kept.removesuffix("</div>")).text
        plain = "".join(re.findall(r"\w", read))
        chips = [n for claim in answer.claims for n in claim.ids]
        assert sorted(plain) == sorted("".join(re.findall(r"\w", answer.text)) + "".join(chips))


def test_a_claim_keeps_its_own_verdict_beside_another_of_the_same_source() -> None:
    answer = parse(
        "<answer><snippet id=s1>Light scatters</snippet>, and <snippet id=s1>cows fly</snippet>.</answer>"
    )
    good, bad = (
        ClaimSupport(text, ("s1",), Verdict(value, "judged", "", "j"))
        for text, value in (("Light scatters", 1.0), ("cows fly", 0.0))
    )
    citation = replace(reward().citation, supports=(good, bad))
    both = (replace(reward(), citation=replace(citation, supports=())), replace(reward(), citation=citation))
    page = diff.diff_views(
        compare(parse(""), answer), answer, cards.CitationCards((Source("s1", "Text."),)), both
    )
    for view in page.split('<div class="view ')[1:]:
        assert view.count('<span class="flag bad">') == 1
        assert view.index("cows") < view.index('<span class="flag bad">')


def test_sources_tell_what_was_cited_shortened_and_left_out() -> None:
    read = Read(result.finished(run()))
    assert "cited 1 time" in read.text
    assert "shortened: 33% of its sentences read" in read.text
    assert "left out of the prompt" in read.text


PROGRESS = [
    pytest.param(
        progress.reading(Prepared((Trim("a", 1, 3), Trim("b", 2, 2)), 1234), 2),
        "2 sources, 1 of them shortened, 1,234 tokens",
        id="prepared",
    ),
    pytest.param(
        progress.writing(GenerationProgress("", Usage(1, 40, 9, 1.0, 3.0))),
        "40 tokens, 20 a second",
        id="writing",
    ),
    pytest.param(
        progress.writing(GenerationProgress("", Usage(1, 1, 1, 1.0, 1.0))), "1 token", id="first-token"
    ),
    pytest.param(progress.judging(replace(_judging("x"), done=9, total=24)), "9 of 24 checks", id="judging"),
]


@pytest.mark.parametrize(("rendered", "words"), PROGRESS)
def test_progress_is_said_in_words(rendered: str, words: str) -> None:
    assert rendered == words


TIMES = [
    pytest.param(Step("x", "done", 2.0, 9.0), "x 2.0 s", id="over"),
    pytest.param(Step("x", "now", 5.0, 20.0), "x 5.0 s of about 20 s", id="expected"),
    pytest.param(Step("x", "now", 25.0, 20.0), "x 25 s longer than usual", id="late"),
    pytest.param(Step("x", "now", 5.0), "x 5.0 s", id="nothing-known"),
    pytest.param(Step("x"), "x", id="to-come"),
]


@pytest.mark.parametrize(("step", "words"), TIMES)
def test_a_step_tells_the_time_that_went_by_and_that_it_may_take(step: Step, words: str) -> None:
    assert Read(progress.steps((step,), "")).text == f"{words}Stop Esc"


def test_waiting_tells_ones_place() -> None:
    read = Read(progress.waiting(2, 3.0, 40.0))
    assert read.text.startswith("Waiting: 2 runs before yours 3.0 s of about 40 s")
    assert read.attributes("data-say") == ["Waiting: 2 runs before yours"]


NUMBERS = [
    pytest.param(html_text.number(0.666), "0.67", id="number"),
    pytest.param(html_text.percent(0.666), "67%", id="percent"),
    pytest.param(html_text.seconds(0.44), "0.4 s", id="short"),
    pytest.param(html_text.seconds(12.6), "13 s", id="seconds"),
    pytest.param(html_text.seconds(125), "2 min 05 s", id="minutes"),
    pytest.param(html_text.count(1, "claim"), "1 claim", id="one"),
    pytest.param(html_text.count(2, "pass", "passes"), "2 passes", id="own-plural"),
    pytest.param(html_text.count(12000, "token"), "12,000 tokens", id="thousands"),
]


@pytest.mark.parametrize(("rendered", "words"), NUMBERS)
def test_numbers_are_rounded_in_one_way(rendered: str, words: str) -> None:
    assert rendered == words


def test_the_refiner_needs_no_notice_and_another_model_gets_one() -> None:
    assert model_notes.model_note(ModelInfo("refiner", is_refiner=True)) == ""
    assert model_notes.CARD_URL in Read(
        model_notes.model_note(ModelInfo("other", is_refiner=False))
    ).attributes("href")
