"""The page over a scripted engine: one whose output attacks the page, or what the file in ``SCRIPT`` says.

That file is JSON: answer, delay (seconds), step (characters). Run by the tests, never by users.
"""

from refiner.ui import theme  # isort: skip  # switches analytics off before Gradio is imported
import json
import os
from pathlib import Path

from harness import PAYLOADS

from refiner.domain import ModelInfo
from refiner.engines.scripted import ScriptedEngine
from refiner.feedback.publish.publisher import publisher_from_settings
from refiner.feedback.storage.store import Store
from refiner.judges.choose import choose
from refiner.settings import Settings
from refiner.ui.page import build_page

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
    script = json.loads(Path(os.environ["SCRIPT"]).read_text("utf-8")) if "SCRIPT" in os.environ else {}
    engine = ScriptedEngine(
        [script.get("answer", ANSWER)],
        delay=script.get("delay", 0.04),
        step=script.get("step", 12),
        info=ModelInfo("<b>scripted</b>", is_refiner=False),
    )
    judge = choose(settings, engine, lambda _: engine)  # type: ignore[arg-type,return-value]  # never asked to read
    publisher = publisher_from_settings(settings)
    if publisher is not None:
        publisher.serve()
    demo = build_page(engine, judge, Store(settings.database_url), settings, publisher)
    demo.launch(**theme.launch_options(settings))
