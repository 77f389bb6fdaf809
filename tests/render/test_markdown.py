"""A run as Markdown: read with a reader of CommonMark, nothing of a text is a mark, and no word is lost."""

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest
import runs
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from refiner.domain import Request, Source
from refiner.render import html_text
from refiner.render.export.markdown import markdown, words

MARKS = [
    pytest.param(one, id=str(number))
    for number, one in enumerate(
        (
            "<script>window.bad = 1</script>",
            "</table><img src=x onerror='window.bad = 1'>",
            "[x](javascript:window.bad=1) ![y](https://host.example/z.png)",
            "[x]: https://host.example\n\n[x] <https://host.example>",
            "a | b\n--- | ---\n| c || d |",
            "# Heading\n## Another\n===\n---",
            "- item\n* item\n+ item\n1. one\n2) two",
            "```\ncode\n```\n~~~\n    indented\n\ttabbed",
            "> quoted\n\\> \\\\ \\[x\\](y)",
            "*a* **b** __c__ `d` ~~e~~ $f$ a\\`b`c",
            "&lt;b&gt; &#60;b&#62; &amp; &copy;",
            "turned \u202earound\u2066 and\u2028split\u0085here\x0b\x00",
            "[^1] [^1]: note",
            "1986\\. A great year.",
        )
    )
]
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def inner(page: str) -> list[Token]:
    return [child for token in READER.parse(page) for child in token.children or ()]


def blocks(page: str) -> list[str]:
    """The blocks' tags in their order, but for paragraphs and items, of which there is one a line or a sentence."""
    return [token.tag for token in READER.parse(page) if token.tag not in {"p", "li", ""}]


def bare(words: str) -> str:
    return re.sub(r"\s+", "", words)


def answer_of(words: str) -> str:
    return markdown(runs.run_of(words, runs.Always(0.5, words)))


@pytest.mark.parametrize("words", MARKS)
def test_no_text_is_a_mark_wherever_it_stands(words: str) -> None:
    assert blocks(answer_of(words)) == blocks(answer_of("plain"))
    kinds = [token.type for token in inner(answer_of(words))]
    assert set(kinds) <= {"text", "text_special", "strong_open", "strong_close"}
    assert kinds.count("strong_open") == 1  # "Question."


@pytest.mark.parametrize("words", MARKS)
def test_every_word_of_a_text_is_read_back(words: str) -> None:
    page = bare("".join(token.content for token in inner(answer_of(words))))
    assert (
        page.count(
            bare(
                html_text.without_control_characters(
                    re.sub(r"[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]", " ", words)
                )
            )
        )
        >= 12
    )


@given(st.text(st.sampled_from("\\`*_{}[]<>()#+-.!|~&:@$=^ \n\t1a;/"), max_size=30))
@settings(max_examples=200)
def test_any_words_are_one_line_and_one_cell_that_read_back(one: str) -> None:
    page = READER.parse(f"{words(one)}\n\n| head |\n| --- |\n| {words(one)} |\n")
    read = ["".join(child.content for child in token.children or ()) for token in page if token.children]
    shown = [bare(one)] if bare(one) else []
    assert [bare(line) for line in read] == [*shown, "head", *shown]


LINKS = [
    pytest.param("https://example.org/a?b=1&lt=2#c", id="references"),
    pytest.param("https://example.org/`a`<b>\\(c)[d]|\"'*_", id="marks"),
    pytest.param("https://example.org/ü/語", id="not-ascii"),
]


@pytest.mark.parametrize("url", LINKS)
def test_a_source_is_linked_where_its_address_is_one_of_the_web(url: str) -> None:
    run = runs.run_of("plain `words`")
    sources = (replace(run.request.sources[0], url=url),)
    page = markdown(replace(run, request=replace(run.request, sources=sources)))
    (link,) = [token for token in inner(page) if token.type == "link_open"]
    assert unquote(str(link.attrs["href"])) == unquote(url)


def test_a_link_that_runs_something_is_none() -> None:
    assert "link_open" not in [token.type for token in inner(answer_of("javascript:window.bad=1"))]


def test_an_answer_keeps_its_paragraphs_and_numbers_its_sources() -> None:
    request = Request("Why?", "It is so.", (Source("a", "First."), Source("b", "It is so.", "A title")))
    page = markdown(
        runs.make_run(request, "<answer><snippet id=b,zz>It is so.</snippet>\n\n1. And so on.</answer>")
    )
    assert (
        "### Refined answer\n\nIt is so. \\[2\\]\\[?\\]\n\n1\\. And so on.\n\n### Sources\n\n- \\[2\\] A title\n"
        in page
    )
    assert "1 source given and not cited." in page


def test_claims_without_support_or_source_are_listed_with_the_reason() -> None:
    source = Source("s1", "The sky is blue.")
    answer = "<answer><snippet id=s1>Grass is green.</snippet> <snippet id=s9>Snow is white.</snippet> Ice is cold.</answer>"
    page = markdown(runs.make_run(Request("Why?", "So.", (source,)), answer, runs.Always(0.5, "In part.")))
    assert "- “Grass is green.” \\[1\\]: partly supported. In part." in page
    assert "- “Snow is white.” \\[?\\]: no such source. No source has the id s9." in page
    assert "- “Ice is cold.”: no citation. It cites nothing." in page


def test_what_was_not_judged_is_not_said_to_be() -> None:
    estimate, refined = (markdown(runs.run_of("plain", judge)) for judge in (None, runs.Always(1.0)))
    assert "| Score | 0." in estimate
    assert "| partly scored |" in estimate
    assert "| not scored | not scored | needs a language model judge |" in estimate
    assert "What is called estimated is a heuristic’s" in estimate
    assert "Written by plain, which is not the refiner" in estimate
    assert "estimated" not in refined
