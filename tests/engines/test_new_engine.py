"""An engine is added as a stranger would: a module of its own, and one line in `choose.ENGINES`."""

import threading
from collections.abc import Iterator

import pytest

from refiner import pipeline
from refiner.domain import Finished, Form, GenerationProgress, ModelInfo, Options, Source, Usage
from refiner.engines import choose
from refiner.engines.protocol import GenerationRequest
from refiner.errors import InputError
from refiner.feedback.storage.store import Store
from refiner.judges.choose import choose as choose_judge
from refiner.judges.lexical.judge import LexicalJudge
from refiner.settings import Settings


class EchoEngine:
    """Writes the draft again. It cannot count tokens, and holds its output to no form."""

    forms: tuple[Form, ...] = ("off",)
    token_counter = None
    ready, problem = True, ""
    info = ModelInfo("echo", is_refiner=False)

    def load(self) -> None:
        """Nothing to load."""

    def stream(self, request: GenerationRequest, stop: threading.Event) -> Iterator[GenerationProgress]:
        """The draft, a claim at a time."""
        text = "<answer>"
        for ids, words in request.draft:
            if stop.is_set():
                break
            text += f"<snippet id={ids}>{words}</snippet>" if ids else words
            yield GenerationProgress(f"{text}</answer>", Usage())
        yield GenerationProgress(f"{text}</answer>", Usage(ended="stopped" if stop.is_set() else "end"))

    def release(self) -> None:
        """Nothing is held."""


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setitem(choose.ENGINES, "echo", lambda _: EchoEngine())  # the one line
    return Settings(engine="echo")


def test_it_refines_judges_and_is_named(settings: Settings) -> None:
    engine = choose.choose(settings)
    request = pipeline.request("Why?", "Cats purr [1].", [Source("1", "Cats purr when content.")])
    *_, last = pipeline.refine(request, engine, choose_judge(settings, engine, lambda _: engine))
    assert isinstance(last, Finished)
    assert last.refinement.answer.text == "Cats purr."
    assert (last.refinement.model.name, last.refinement.form) == ("echo", "off")


def test_its_prompt_is_kept_within_the_limit_by_an_estimate(settings: Settings) -> None:
    long = [Source("1", " ".join(f"Sentence {n} says that cats purr." for n in range(2000)))]
    request = pipeline.request("Why?", "Cats purr [1].", long)
    first, *_ = pipeline.refine(request, choose.choose(settings), LexicalJudge())
    assert first.trims[0].kept < first.trims[0].of
    assert 5000 < first.prompt_tokens <= 6144


def test_a_form_that_it_lacks_is_refused_and_it_cannot_judge_by_probabilities(settings: Settings) -> None:
    engine = choose.choose(settings)
    request = pipeline.request("Why?", "Cats purr [1].", [Source("1", "Cats purr.")])
    with pytest.raises(InputError, match="echo cannot write in the form strict"):
        list(pipeline.refine(request, engine, LexicalJudge(), Options(form="strict")))
    with pytest.raises(InputError, match="echo gives no probabilities to judge by"):
        choose_judge(Settings(engine="echo", judge="logits"), engine, lambda _: engine)


def test_an_engine_that_nobody_registered_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match="REFINER_ENGINE is 'other'; it can be local"):
        choose.choose(Settings(engine="other"))


def test_the_page_offers_only_its_forms(settings: Settings, tmp_path: object) -> None:
    from refiner.ui.page import build_page  # noqa: PLC0415 - Gradio is heavy

    engine = choose.choose(settings)
    page = build_page(engine, LexicalJudge(), Store(f"sqlite:///{tmp_path}/f.db"), settings)
    (form,) = (one for one in page.config["components"] if one["props"].get("elem_id") == "form")
    assert [words for words, _ in form["props"]["choices"]] == ["As the model does best", "Off: unguarded"]
