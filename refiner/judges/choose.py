"""Which judge scores: what the settings name; else a server where one is given; else by the model that writes."""

from collections.abc import Callable

from refiner.engines.protocol import ChoiceScorer, Engine
from refiner.errors import InputError
from refiner.judges.hosted import HostedJudge
from refiner.judges.lexical.judge import LexicalJudge
from refiner.judges.logits import LogitsJudge
from refiner.judges.protocol import Judge
from refiner.prompts.prompt_file import PromptTemplate
from refiner.settings import JUDGE_MODEL, JudgeKind, Settings


def choose(settings: Settings, writer: Engine, open_model: Callable[[str], Engine]) -> Judge:
    """The judge. Nothing is loaded yet.

    The refiner judges its own answers where nothing better is named, because it is in memory. The embedded model is no
    judge, so the lexical estimate stands in for it. `InputError` where a model is to judge by probabilities and its
    engine gives none.
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
        engine = open_model(settings.judge_model) if settings.judge_model else writer
        if not isinstance(engine, ChoiceScorer):
            raise InputError(
                f"{engine.info.name} gives no probabilities to judge by. Set REFINER_JUDGE to lexical or hosted."
            )
        return LogitsJudge(engine, PromptTemplate.from_file(settings.prompt_file))
    return LexicalJudge()
