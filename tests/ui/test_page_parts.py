"""The page as built: no API, no analytics, no other host."""

import gradio as gr
import pytest
from page_runs import ANSWER

from refiner.engines.scripted import ScriptedEngine
from refiner.feedback.storage.store import Store
from refiner.judges.lexical.judge import LexicalJudge
from refiner.settings import Settings
from refiner.ui import theme
from refiner.ui.page import build_page
from refiner.ui.rating.parts import button_labels


@pytest.fixture(name="page", scope="module")
def _page(tmp_path_factory: pytest.TempPathFactory) -> gr.Blocks:
    url = f"sqlite:///{(tmp_path_factory.mktemp('store') / 'f.db').as_posix()}"
    return build_page(ScriptedEngine([ANSWER]), LexicalJudge(), Store(url), Settings())


def test_the_page_builds_and_offers_no_helper_as_api(page: gr.Blocks) -> None:
    assert page.get_api_info()["named_endpoints"] == {}


def test_analytics_are_off(page: gr.Blocks) -> None:
    assert page.analytics_enabled is False


def test_the_keys_are_printed_on_their_buttons(page: gr.Blocks) -> None:
    words = {block.value for block in page.blocks.values() if isinstance(block, gr.Button)}
    assert {"Refine (Ctrl+Enter)", "Stop (Esc)", *button_labels().values()} <= words


def test_every_html_component_keeps_the_template_that_runs_nothing(page: gr.Blocks) -> None:
    assert {block.html_template for block in page.blocks.values() if isinstance(block, gr.HTML)} == {
        "${value}"
    }


def test_theme_and_head_name_no_other_host() -> None:
    options = theme.launch_options(Settings())
    for sheet in (
        theme.build_theme()._get_theme_css(),
        options["head"],
        *map(str, theme.build_theme()._font_css),
    ):
        assert "http" not in sheet.replace("http://www.w3.org/2000/svg", "")
