"""A plain text cannot reach the page unescaped: not through the helpers, and not around them."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from paths import ROOT

from refiner.render.html_text import Html, html, isolate, join

HOSTILE = "<b>{x}</b> ${y} `z` \u202e\x00 \"'"
ESCAPED = "&lt;b&gt;&#123;x}&lt;/b&gt; $&#123;y} &#96;z&#96; \ufffd\ufffd &quot;&#x27;"
WAYS: list[tuple[str, Callable[[str], str]]] = [
    ("template", lambda text: html("<p>{text}</p>", text=text)),
    ("added", lambda text: Html("<p>") + text + Html("</p>")),
    ("joined", lambda text: Html("<p>{}</p>").format(join([text]))),  # type: ignore[list-item]
    ("formatted", lambda text: Html("<p>{}</p>").format(text)),
    ("percent", lambda text: Html("<p>%s</p>") % text),
    ("interpolated", lambda text: Html("<p>") + Html().join([text, Html("</p>")])),
]


@pytest.mark.parametrize("way", [way for _, way in WAYS], ids=[name for name, _ in WAYS])
def test_a_plain_text_is_escaped_whatever_way_it_is_put_into_html(way: Callable[[str], str]) -> None:
    assert way(HOSTILE) == f"<p>{ESCAPED}</p>"


def test_html_stays_as_it_is_and_is_escaped_where_it_is_taken_as_text() -> None:
    assert html("<p>{words}</p>", words=isolate("a & b")) == "<p><bdi>a &amp; b</bdi></p>"
    assert isolate(Html("<i>")) == "<bdi>&lt;i&gt;</bdi>"


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def test_every_template_is_a_literal() -> None:
    """What mypy cannot say: a text that was put into a template by an f-string would pass as HTML."""
    render = ROOT / "refiner" / "render"
    for path in render.rglob("*.py"):
        if path.name == "html_text.py":
            continue
        for call in calls(path):
            if isinstance(call.func, ast.Name) and call.func.id in {"html", "Html"} and call.args:
                assert isinstance(call.args[0], ast.Constant), f"{path}:{call.lineno}"
            assert not (isinstance(call.func, ast.Name) and call.func.id == "Markup"), f"{path}:{call.lineno}"


def test_only_the_apps_own_texts_are_trusted() -> None:
    """The stylesheet, the script and the run that is embedded in a page, which `run_file` escapes."""
    render = ROOT / "refiner" / "render"
    trusting = {
        path.name
        for path in render.rglob("*.py")
        for call in calls(path)
        if isinstance(call.func, ast.Name) and call.func.id == "trusted"
    }
    assert trusting == {"html_page.py"}
