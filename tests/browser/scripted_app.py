"""The page over a scripted engine whose output attacks the page. Run by the tests, never by users."""

from refiner.ui import theme  # isort: skip  # switches analytics off before Gradio is imported
from harness import PAYLOADS

from refiner.domain import ModelInfo
from refiner.engines.scripted import ScriptedEngine
from refiner.feedback.store import Store
from refiner.judges.lexical import LexicalJudge
from refiner.settings import Settings
from refiner.ui.page import build

ANSWER = (
    "<answer>An opening sentence that cites nothing at all here. "
    + "".join(
        f"<snippet id=1>The first claim, number {n}, holds {text}.</snippet> "
        for n, text in enumerate(PAYLOADS)
    )
    + "<snippet id=2>A last claim.</snippet></answer>"
)

if __name__ == "__main__":
    settings = Settings.from_environment()
    engine = ScriptedEngine(
        [ANSWER], delay=0.04, step=12, info=ModelInfo("<b>scripted</b>", is_refiner=False)
    )
    demo = build(engine, LexicalJudge(), Store(settings.database_url), settings)
    demo.launch(**theme.launch_options(settings))
