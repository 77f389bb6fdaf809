"""Train the lexical judge's weights and measure them: `train_lexical.py FOLDER`, with the label files inside.

Trains on attributionbench_train.jsonl and wice_train.jsonl only; the others are measured. Logistic regression
with an L2 penalty, by Newton's method (Hastie et al., The Elements of Statistical Learning, section 4.4.1). The
penalty and the borders were chosen on the training claims, the penalty by cross-validation over questions.
"""

import datetime as dt
import hashlib
import json
import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import falsify
import numpy as np
from numpy.typing import NDArray

from refiner.domain import Check, Verdict
from refiner.judges import evaluation
from refiner.judges.lexical import details, judge
from refiner.judges.lexical.judge import LABELS, NO_PROBLEM, LexicalJudge
from refiner.judges.lexical.overlap import FEATURES, figures
from refiner.judges.lexical.prepared_text import prepare
from refiner.judges.quality import FalseAlarms, LabelRate, Quality, StressResult

Floats = NDArray[np.float64]

TRAIN = ("attributionbench_train", "wice_train")
MEASURE = ("attributionbench_in_domain", "attributionbench_out_of_domain", "wice", "scifact")
PENALTY = 25.0
COMMON, RARE = 0.05, 0.02  # shares of texts: stems in more are told apart, all others count as this rare
LOWEST = 0.2  # the share of the training claims under the border of "problem found"
WEAK = 0.5  # the border of "weak overlap": under it a claim is likelier unsupported than not


@dataclass(frozen=True)
class Common:
    """How rare stems are, as `LexicalJudge.rarity` has it."""

    table: dict[str, float]

    def __call__(self, stem: str) -> float:
        return self.table.get(stem, round(-math.log(RARE), 3))


def main(folder: Path) -> None:
    """Write judges/lexical.json and print what was measured."""
    train = [label for name in TRAIN for label in evaluation.read_labels(folder / f"{name}.jsonl")]
    rarity = common(train)
    x, y = np.array([features(label.check, rarity) for label in train]), truth(train)
    middle, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
    weights = fit((x - middle) / spread, y)
    chances = predict(weights, (x - middle) / spread)
    scaled = weights[1:] / spread
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    written: dict[str, Any] = {
        "trained": today,
        "trained_on": list(TRAIN),
        "bias": float(weights[0] - (scaled * middle).sum()),
        "weights": dict(zip(FEATURES, map(float, scaled), strict=True)),
        "problem_below": float(np.quantile(chances, LOWEST)),
        "weak_below": WEAK,
        "threshold": best_threshold(chances, y),
        "rare": round(-math.log(RARE), 3),
        "common": dict(sorted(rarity.table.items())),
    }
    version = f"lexical-{today}"
    keep({"version": version, **written})
    quality = measured(folder, today)
    # Two trainings of a day are told apart, and a change of the checks that changes what was measured.
    digest = hashlib.sha256(json.dumps([written, asdict(quality)]).encode()).hexdigest()[:6]
    quality = replace(quality, version=f"{version}-{digest}")
    keep({"version": quality.version, **written, "quality": asdict(quality)})
    report()


def keep(written: dict[str, Any]) -> None:
    """Write the file that the judge reads."""
    judge.FILE.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def common(train: Sequence[evaluation.Label]) -> Common:
    """The stems of many of the training evidence's texts, each with −log of the share that has it."""
    texts = {source.text for label in train for source in label.check.evidence}
    counts = Counter(stem for text in texts for stem in prepare(text).places)
    shares = {stem: count / len(texts) for stem, count in counts.items()}
    return Common({stem: round(-math.log(share), 3) for stem, share in shares.items() if share >= COMMON})


def features(check: Check, rarity: Common) -> tuple[float, ...]:
    """The figures (features,) of a claim."""
    statement = prepare(check.statement)
    evidence = prepare("\n".join(source.text for source in check.evidence))
    known = frozenset(prepare(check.question).places)
    found = details.compare(statement, evidence, rarity, known)
    return figures(statement, evidence, rarity, len(found.absent_numbers), len(found.absent_names))


def truth(rows: Sequence[evaluation.Label]) -> Floats:
    """The labels (n,) as 0 and 1."""
    return np.array([float(row.supported) for row in rows])


def fit(x: Floats, y: Floats) -> Floats:
    """The weights, bias first; the bias is not penalised."""
    x = np.c_[np.ones(len(x)), x]
    weights = np.zeros(x.shape[1])
    penalty = PENALTY * np.diag([0.0, *np.ones(x.shape[1] - 1)])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (chance - y) + penalty @ weights
        curve = x.T @ (x * (chance * (1 - chance))[:, None]) + penalty
        weights -= np.linalg.solve(curve, slope)
    return weights


def predict(weights: Floats, x: Floats) -> Floats:
    """The probability of support, (n,)."""
    return 1 / (1 + np.exp(-(weights[0] + x @ weights[1:])))


def best_threshold(chances: Floats, y: Floats) -> float:
    """The threshold with the highest balanced accuracy on the training claims, in steps of 0.01."""
    steps = np.arange(0.05, 0.95, 0.01)
    right = [((chances >= step)[y == 1].mean() + (chances < step)[y == 0].mean()) / 2 for step in steps]
    return round(float(steps[int(np.argmax(right))]), 2)


def measured(folder: Path, today: str) -> Quality:
    """The judge, as just written, on the files that it was not trained on."""
    judge = LexicalJudge()
    rows = {name: evaluation.read_labels(folder / f"{name}.jsonl") for name in MEASURE}
    found = {name: evaluation.measure_judge(judge, labels) for name, labels in rows.items()}
    pairs = [
        (verdict.label, label.supported)
        for name, labels in rows.items()
        for label, verdict in zip(labels, found[name].verdicts, strict=True)
    ]
    rates = []
    for one in LABELS:
        having = [supported for label, supported in pairs if label == one]
        rates.append(LabelRate(one, len(having), 1 - sum(having) / max(1, len(having))))
    data = {name: one.evaluation for name, one in found.items()}
    return Quality(
        judge.name,
        judge.version,
        today,
        data,
        tuple(rates),
        tuple(stress(judge, folder)),
        alarms(judge, folder),
    )


def stress(judge: LexicalJudge, folder: Path) -> Iterator[StressResult]:
    """For each kind of falsified claim, the share of accepted claims that is accepted no more."""
    rows = falsify.supported([folder / f"{name}.jsonl" for name in MEASURE])
    for kind in falsify.KINDS:
        accepted = [
            p
            for p in falsify.pairs(rows, kind)
            if verdict_of(judge, p.row, p.row["claim"]).label == NO_PROBLEM
        ]
        caught = [verdict_of(judge, pair.row, pair.false).label != NO_PROBLEM for pair in accepted]
        yield StressResult(kind, len(caught), float(np.mean(caught)))


def alarms(judge: LexicalJudge, folder: Path) -> FalseAlarms:
    """What the checks cost in supported claims that are not accepted."""
    rows = falsify.supported([folder / f"{name}.jsonl" for name in MEASURE])
    verdicts = [verdict_of(judge, row, row["claim"]) for row in rows]
    low = [verdict.value is None or "low overlap" in verdict.flags for verdict in verdicts]
    after = [verdict.label != NO_PROBLEM for verdict in verdicts]
    return FalseAlarms(len(rows), float(np.mean(low)), float(np.mean(after)))


def verdict_of(judge: LexicalJudge, row: falsify.Row, claim: str) -> Verdict:
    """The verdict on ``claim`` with the row's question and evidence."""
    check = evaluation.label_of_row({**row, "claim": claim}).check
    return next(judge.judge([check]))[0]


def report() -> None:
    """Print what was measured."""
    quality = LexicalJudge().quality
    assert quality is not None
    print(json.dumps(asdict(replace(quality, data={})), indent=1))
    for name, one in quality.data.items():
        print(name, one.n, one.auroc, one.balanced_accuracy, one.ece)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
