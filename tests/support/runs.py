"""Real pipeline runs on the sample's cases for tests. A scripted engine replays texts and the lexical judge scores."""

import json
from collections.abc import Generator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache

from paths import SAMPLE_CASES

from refiner import batch, pipeline
from refiner.batch import Case
from refiner.domain import (
    Check,
    Criterion,
    Finished,
    ModelInfo,
    Options,
    Refinement,
    Request,
    Source,
    Verdict,
)
from refiner.engines.scripted import ScriptedEngine
from refiner.judges.lexical.judge import LexicalJudge
from refiner.judges.protocol import Judge, Stop, never_stop
from refiner.judges.quality import Quality

MADE = datetime(2026, 3, 4, 5, 6, 7, 89, UTC)


class Always:
    """A judge that gives the same verdict on everything. See `refiner.judges.protocol.Judge`."""

    name, version, threshold = "always", "1", 0.5
    quality: Quality | None = None

    def __init__(self, value: float | None, reason: str = "It says so.") -> None:
        self._verdict = Verdict(value, "judged", reason, self.name, self.version, confidence=0.9, raw=reason)

    def judge(self, checks: Sequence[Check], stop: Stop = never_stop) -> Generator[Mapping[int, Verdict]]:
        """The same verdict for each check."""
        del stop
        yield dict.fromkeys(range(len(checks)), self._verdict)


def make_run(
    request: Request, text: str, judge: Judge | None = None, model: str = "scripted", *, refiner: bool = False
) -> Refinement:
    """Run the pipeline on a request with an engine that writes ``text``."""
    engine = ScriptedEngine([text], info=ModelInfo(model, is_refiner=refiner, detail="replays a text"))
    *_, last = pipeline.refine(request, engine, judge or LexicalJudge(), Options(seed=7))
    assert isinstance(last, Finished)
    return last.refinement


@cache
def samples() -> tuple[Refinement, ...]:
    """Runs of the sample's cases. Each answer cites the opening of the first source, then adds an uncited sentence."""
    runs = []
    for number, line in enumerate(SAMPLE_CASES.read_text(encoding="utf-8").splitlines()):
        request = batch.request_of(Case(number, str(number), json.loads(line)))
        ids = [source.id for source in request.sources]
        text = f"<answer><snippet id={ids[0]}>{request.sources[0].text[:90]}</snippet> And so on.</answer>"
        runs.append(make_run(request, text, Always((None, 0.5, 1.0)[number % 3]) if number else None))
    return tuple(runs)


def run_of(words: str, judge: Judge | None = None) -> Refinement:
    """A run with the words in every text: the user's input, the model's answer and its name."""
    source = Source("s1", f"{words} The sky is blue on a clear day.", words, words)
    criteria = (
        Criterion("c1", words or "c", words, 2.0),
        Criterion("c2", "Fault", words, polarity="negative"),
    )
    request = Request(f"Why? {words}", f"{words} [s1]. So it seems to be {words}.", (source,), criteria)
    text = (
        f"<answer>It is so. <snippet id=s1,zz>The sky is blue. {words}</snippet> It seems {words}.</answer>"
    )
    return make_run(request, text, judge, words)
