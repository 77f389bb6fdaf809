"""The score that docs/rewards.md works out by hand is what the code gives."""

import re

import pytest
from paths import ROOT

from refiner.domain import Check, Criterion, Request, Source, Verdict
from refiner.formats import answer
from refiner.scoring import rewards

PAGE = (ROOT / "docs/rewards.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## A score worked by hand")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| (.+?) \| (.*?) ?\| (\d) \|$", SECTION, re.MULTILINE)
OWN = Criterion("own", "Names Scattering", "It names scattering as the cause.", 2.0)
REQUEST = Request("Why is the sky blue?", "", (Source("a", "One text."), Source("b", "Another.")), (OWN,))


def judged(check: Check) -> Verdict:
    """What the judge of the worked example says of a check."""
    if check.criterion is not None:
        about, evidence = check.criterion.title, ""
    else:
        about = check.statement
        evidence = ", ".join(one.id for one in check.evidence) or "needs a citation?"
    (score,) = {int(said) for what, of, said in ROWS if what.partition(" (")[0] == about and of == evidence}
    return Verdict(score / 2, "judged", "as the page says", "docs/rewards.md")


def stated(name: str) -> float:
    """The figure that the page's line ends with."""
    found = re.search(rf"{name}[^*]*\*\*([\d.]+)\*\*", SECTION)
    assert found is not None
    return float(found[1])


def test_the_worked_example_is_what_the_code_gives() -> None:
    block = re.search(r"^<answer>.*</answer>$", SECTION, re.MULTILINE)
    assert block is not None
    read = answer.parse(block[0])
    verdicts = {check: judged(check) for check in rewards.plan(REQUEST, read).checks}
    assert len(verdicts) == len(ROWS)
    reward = rewards.plan(REQUEST, read).reward(verdicts)
    convex = rewards.plan(REQUEST, read).reward(verdicts, "convex")
    given = {
        "Recall =": reward.citation.recall.value,
        "Precision =": reward.citation.precision.value,
        "F1 =": reward.citation.f1.value,
        "validity =": reward.citation.validity,
        "Rubric, a fault": reward.rubric.total.value,
        "Score =": reward.total.value,
        "convex": convex.total.value,
        "scale of training": rewards.training_scale(reward.total.value or 0.0),
    }
    assert given == {name: pytest.approx(stated(name), abs=0.005) for name in given}
