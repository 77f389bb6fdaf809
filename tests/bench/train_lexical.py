"""Train the lexical judge's weights and measure them: `train_lexical.py FOLDER`, with the label files inside.

Trains on attributionbench_train.jsonl and wice_train.jsonl only; the others are measured. Logistic regression
with an L2 penalty, by Newton's method (Hastie et al., The Elements of Statistical Learning, section 4.4.1).
"""

import datetime as dt
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from refiner.judges import lexical
from refiner.judges.overlap import FEATURES, overlap

Floats = NDArray[np.float64]

TRAIN = ("attributionbench_train", "wice_train")
MEASURE = ("attributionbench_in_domain", "attributionbench_out_of_domain", "wice", "scifact")
PENALTY = 1.0
LOWEST, WEAK = 0.2, 0.5  # shares of the training claims under the labels' borders


def main(folder: Path) -> None:
    """Write judges/lexical.json and print the figures."""
    x, y = (np.concatenate(parts) for parts in zip(*(read(folder, name) for name in TRAIN), strict=True))
    middle, spread = x.mean(axis=0), x.std(axis=0) + 1e-9
    weights = fit((x - middle) / spread, y)
    chances = predict(weights, (x - middle) / spread)
    problem, weak = np.quantile(chances, [LOWEST, WEAK])
    figures = {}
    for name in (*TRAIN, *MEASURE):
        inputs, labels = read(folder, name)
        guessed = predict(weights, (inputs - middle) / spread)
        figures[name] = {
            "n": len(labels),
            "auroc": round(auroc(guessed, labels), 3),
            "ece": round(calibration_error(guessed, labels), 3),
            "unsupported_of_problem_found": round(float(1 - labels[guessed < problem].mean()), 3),
        }
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    scaled = weights[1:] / spread
    written = {
        "version": f"lexical-{today}",
        "trained_on": list(TRAIN),
        "bias": float(weights[0] - (scaled * middle).sum()),
        "weights": dict(zip(FEATURES, map(float, scaled), strict=True)),
        "problem_below": float(problem),
        "weak_below": float(weak),
        "figures": figures,
    }
    lexical.WEIGHTS.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(written, indent=2))


def read(folder: Path, name: str) -> tuple[Floats, Floats]:
    """The figures (n, features) and labels (n,) of a file."""
    rows = [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
    figures = np.array([overlap(row["claim"], row["evidence"]).figures for row in rows])
    return figures, np.array([float(row["supported"]) for row in rows])


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


def auroc(chances: Floats, labels: Floats) -> float:
    """The chance that a supported claim scores above an unsupported one; ties count half."""
    good, bad = chances[labels == 1], chances[labels == 0]
    return float(np.mean((good[:, None] > bad) + 0.5 * (good[:, None] == bad)))


def calibration_error(chances: Floats, labels: Floats, bins: int = 10) -> float:
    """Expected calibration error over ``bins`` equal-width bins (Guo et al. 2017)."""
    place = np.minimum((chances * bins).astype(int), bins - 1)
    gaps = [
        abs(chances[place == one].mean() - labels[place == one].mean()) * np.mean(place == one)
        for one in np.unique(place)
    ]
    return float(sum(gaps))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
