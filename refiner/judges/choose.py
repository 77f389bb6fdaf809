"""Which judge scores: what the settings name; else a server where one is given; else by the model that writes."""

from collections.abc import Callable

from refiner.judges.hosted import HostedJudge
from refiner.judges.lexical.judge import LexicalJudge
from refiner.judges.logits import LogitsJudge, Reader
from refiner.judges.protocol import Judge
from refiner.settings import JUDGE_MODEL, JudgeKind, Settings


def choose(settings: Settings, writer: Reader, open_model: Callable[[str], Reader]) -> Judge:
    """The judge, nothing loaded yet.

    The refiner judges its own answers where nothing better is named, as it is in memory; a model that is no
    judge, such as the embedded one, does not: there the lexical estimate stands in.
    """
    kind = settings.judge
    if kind == "auto":
        own: JudgeKind = "logits" if writer.info.is_refiner or settings.judge_model else "lexical"
        kind = "hosted" if settings.judge_url else own
    if kind == "hosted":
        return HostedJudge(
            settings.judge_model or JUDGE_MODEL, base_url=settings.judge_url, api_key=settings.judge_key
        )
    if kind == "logits":
        return LogitsJudge(open_model(settings.judge_model) if settings.judge_model else writer)
    return LexicalJudge()
