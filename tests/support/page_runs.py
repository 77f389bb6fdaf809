"""For tests of the page: a small request, a scripted answer to it, and filled-in page fields."""

from refiner.domain import (
    Options,
    Refinement,
    Request,
    Source,
)
from refiner.engines.scripted import ScriptedEngine
from refiner.judges.lexical.judge import LexicalJudge
from refiner.ui.inputs import fields
from refiner.ui.run.stopping import make_run_function
from refiner.ui.run.views import RunView, run_views

SOURCES = (Source("s1", "The sky is blue on a clear day. Water is wet."),)
REQUEST = Request("Why is the sky blue?", "The sky is blue [s1]. It is high.", SOURCES)
ANSWER = "<answer><snippet id=s1>The sky is blue on a clear day.</snippet> It is high.</answer>"
NO_RUBRIC = [["", "", "asks for", "1"]]


def values(
    question: str = "Q?", draft: str = "A draft.", pasted: str = "[1] T. The text."
) -> fields.InputValues:
    return fields.InputValues(
        question,
        draft,
        "Paste",
        pasted,
        [["", "", "", ""]],
        NO_RUBRIC,
        "As the model does best",
        64,
        0,
        None,
        blind=False,
    )


def views(
    engine: ScriptedEngine, request: Request = REQUEST, stop_file: str = "/nonexistent/stop"
) -> list[RunView]:
    return list(run_views(make_run_function(engine, LexicalJudge()), request, Options(), stop_file))


def refinement() -> Refinement:
    done = views(ScriptedEngine([ANSWER]))[-1].finished
    assert done is not None
    return done
