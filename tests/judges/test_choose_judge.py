"""Which judge scores, by settings and by the model that writes."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import pytest

from refiner.domain import ChoiceProbabilities, Message, ModelInfo
from refiner.errors import JudgeError
from refiner.judges.choose import choose
from refiner.settings import JUDGE_MODEL, Settings

URL = "http://127.0.0.1:8000/v1"


@dataclass
class Reading:
    """A model that could judge."""

    name: str
    is_refiner: bool = False

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(self.name, self.is_refiner)

    def score_choices(
        self, prompts: Sequence[Sequence[Message]], choices: Sequence[str], stop: object = None
    ) -> Generator[ChoiceProbabilities]:
        del prompts, choices, stop
        raise AssertionError("nothing is asked while choosing")


@pytest.mark.parametrize(
    ("settings", "is_refiner", "name"),
    [
        pytest.param(Settings(), False, "lexical estimate", id="beside a model that is no judge"),
        pytest.param(Settings(), True, "writer, by probabilities", id="the refiner judges itself"),
        pytest.param(Settings(judge="lexical"), True, "lexical estimate", id="as named"),
        pytest.param(Settings(judge="logits"), False, "writer, by probabilities", id="any writer, if asked"),
        pytest.param(Settings(judge_model="other"), True, "other, by probabilities", id="a model of its own"),
        pytest.param(Settings(judge_url=URL), True, JUDGE_MODEL, id="a server that is given"),
        pytest.param(Settings(judge_url=URL, judge_model="j"), False, "j", id="that server's own model"),
        pytest.param(Settings(judge="hosted", judge_key="hf_x"), False, JUDGE_MODEL, id="a provider"),
    ],
)
def test_the_judge_is_the_one_named_or_the_best_at_hand(
    settings: Settings, *, is_refiner: bool, name: str
) -> None:
    assert choose(settings, Reading("writer", is_refiner=is_refiner), Reading).name == name


def test_a_hosted_judge_without_address_and_key_says_what_it_needs() -> None:
    with pytest.raises(JudgeError, match="set it as the judge's key"):
        choose(Settings(judge="hosted"), Reading("writer"), Reading)
