"""A run's own page: the run comes back from it, and its policy names exactly what it holds."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest
import runs
from hypothesis import given, settings
from hypothesis import strategies as st
from paths import ROOT

from refiner.judges.lexical.judge import LexicalJudge
from refiner.render.export.html_page import page
from refiner.runs import run_file

STYLE, SCRIPT = (
    (ROOT / "assets" / name).read_text(encoding="utf-8") for name in ("refiner.css", "refiner.js")
)


class Elements(HTMLParser):
    """The elements of a page, and the texts of its scripts and styles as a browser takes them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.raw: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.cdata_elem:
            self.raw.append((self.cdata_elem, data))

    def texts(self, tag: str) -> list[str]:
        return [text for name, text in self.raw if name == tag]


def shared(words: str = "plain", style: str = STYLE, script: str = SCRIPT) -> str:
    return page(runs.run_of(words), runs.MADE, style=style, script=script)


@pytest.mark.parametrize("number", range(3))
def test_the_page_is_opened_again_as_the_run_it_shows(number: int) -> None:
    run = runs.samples()[number]
    text = page(run, runs.MADE, style=STYLE, script=SCRIPT, judged=LexicalJudge().quality)
    assert run_file.load_run(text) == run_file.SavedRun(run, runs.MADE)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(max_examples=50)
def test_any_words_come_back_and_add_no_element(words: str) -> None:
    run = runs.run_of(words)
    text = page(run, runs.MADE, style="", script="")
    assert run_file.load_run(text.encode().decode()).run == run
    assert [tag for tag, _ in Elements(text).tags].count("script") == 2


def test_a_text_that_looks_like_the_run_inside_a_page_is_not_taken_for_it() -> None:
    words = run_file.OPENING_TAG + "{}</script>"
    assert run_file.load_run(shared(words)).run.request.question == f"Why? {words}"


def test_the_policy_lets_this_style_and_this_script_through_and_nothing_else() -> None:
    read = Elements(shared())
    policy = next(one["content"] for _, one in read.tags if one.get("http-equiv"))
    assert policy is not None
    hashes = re.findall(r"sha256-([\w+/=]+)", policy)
    wanted = [read.texts("script")[0], read.texts("style")[0]]
    assert hashes == [b64encode(sha256(text.encode()).digest()).decode() for text in wanted]
    assert policy.startswith("default-src 'none'; ")
    assert "base-uri 'none'; form-action 'none'" in policy
    assert "script-src 'unsafe" not in policy


@pytest.mark.parametrize("ending", ["</script>", "</STYLE >", "<!--<script>", "\r\n</style>\r"])
def test_neither_script_nor_stylesheet_ends_its_element(ending: str) -> None:
    read = Elements(shared(style=f"/* {ending} */", script=f'"{ending}";'))
    assert [tag for tag, _ in read.tags if tag in {"script", "style"}] == ["style", "script", "script"]
    assert read.texts("script")[0].endswith('";')


def test_it_names_the_question_the_time_and_whose_the_scores_are() -> None:
    text = shared("What <b>now</b>?")
    assert "<title>Why? What &lt;b&gt;now&lt;/b&gt;? – Refiner</title>" in text
    assert '<time datetime="2026-03-04T05:06:07+00:00">' in text
    assert "The scores are this app’s own" in text


def test_it_points_to_nothing_outside_but_the_sources_links() -> None:
    read = Elements(page(runs.samples()[1], runs.MADE, style=STYLE, script=SCRIPT))
    assert not [one for tag, one in read.tags if "src" in one or tag in {"link", "iframe", "img", "base"}]
    links = {one["href"] for tag, one in read.tags if tag == "a" and not (one["href"] or "").startswith("#")}
    assert links <= {source.url for source in runs.samples()[1].request.sources}
