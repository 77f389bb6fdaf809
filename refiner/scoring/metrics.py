"""Measures how well values agree with labels, as figures with intervals. Pure: knows neither judges nor files.

- AUROC: the chance that a supported item is valued above an unsupported one. Ties count half. Computed by ranks
  (Fawcett 2006, An introduction to ROC analysis).
- Balanced accuracy: the mean over both classes of the share of right answers (Brodersen et al. 2010).
- Cohen's kappa: the agreement of two readers beyond what their rates of yes and no give by chance (Cohen 1960, A
  coefficient of agreement for nominal scales); 0 is chance, 1 is full agreement, below 0 is less than chance.
- ECE: expected calibration error over ten equal-width bins (Guo et al. 2017, On calibration of modern neural
  networks).
- Intervals: 95%, percentile bootstrap (Efron and Tibshirani 1993, chapter 13) over groups, because
  items that share a question are not independent. Every figure takes one weight per item. A resample is a row of
  weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_BINS = 10
_INTERVAL = (2.5, 97.5)  # percentiles


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and the ends of its 95% interval. They lie in [0, 1], or in [-1, 1] for a kappa."""

    value: float
    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class Bin:
    """The items whose value falls in one tenth: their count, mean value, and share that is supported."""

    count: int
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures over the ``scored`` of ``n`` items. They are None unless both classes have a scored item.

    ``bins`` go from low values to high. Empty bins are left out.
    """

    n: int
    scored: int
    auroc: Figure | None
    balanced_accuracy: Figure | None
    ece: Figure | None
    bins: tuple[Bin, ...]


def evaluate(
    values: Sequence[float | None],
    labels: Sequence[bool],
    groups: Sequence[str],
    *,
    threshold: float = 0.5,
    resamples: int = 1000,
    seed: int = 0,
) -> Evaluation:
    """Compare ``values`` in [0, 1] (None: not scored) with ``labels``; all three sequences have length n.

    A value of ``threshold`` or more counts as "supported" for balanced accuracy. Raises ValueError when the
    lengths differ.
    """
    rows = [row for row in zip(values, labels, groups, strict=True) if row[0] is not None]
    scores = np.array([row[0] for row in rows], dtype=np.float64)
    truth = np.array([row[1] for row in rows], dtype=np.bool_)
    bins = reliability(scores, truth)
    if not truth.any() or truth.all():
        return Evaluation(len(values), len(rows), None, None, None, bins)
    weights = np.vstack([np.ones(len(rows)), _resample([row[2] for row in rows], resamples, seed)])
    return Evaluation(
        len(values),
        len(rows),
        _figure(auroc(scores, truth, weights)),
        _figure(balanced_accuracy(scores, truth, weights, threshold)),
        _figure(calibration_error(scores, truth, weights)),
        bins,
    )


def agreement(
    one: Sequence[bool], other: Sequence[bool], groups: Sequence[str], *, resamples: int = 1000, seed: int = 0
) -> Figure | None:
    """Cohen's kappa of two readers' yes and no. None where both say always yes or both always no.

    All three sequences have length n.
    """
    first, second = np.array(one, dtype=np.bool_), np.array(other, dtype=np.bool_)
    if (first & second).all() or not (first | second).any():
        return None
    weights = np.vstack([np.ones(len(groups)), _resample(groups, resamples, seed)])
    return _figure(kappa(first, second, weights))


def kappa(one: Bools, other: Bools, weights: Floats) -> Floats:
    """One figure per row of ``weights`` (resamples, n). NaN where both say always yes or both always no."""
    n = weights.sum(axis=1)
    agreed = _ratio(weights @ (one == other), n)
    yes, yes_too = _ratio(weights @ one, n), _ratio(weights @ other, n)
    chance = yes * yes_too + (1 - yes) * (1 - yes_too)
    return _ratio(agreed - chance, 1 - chance)


def auroc(scores: Floats, truth: Bools, weights: Floats) -> Floats:
    """One figure per row of ``weights`` (resamples, n). NaN where a class has no weight."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))  # where a new value begins
    good = np.add.reduceat((weights * truth)[:, order], starts, axis=1)
    bad = np.add.reduceat((weights * ~truth)[:, order], starts, axis=1)
    below = np.cumsum(bad, axis=1) - bad / 2
    return _ratio((good * below).sum(axis=1), good.sum(axis=1) * bad.sum(axis=1))


def balanced_accuracy(scores: Floats, truth: Bools, weights: Floats, threshold: float) -> Floats:
    """One figure per row of ``weights`` (resamples, n). NaN where a class has no weight."""
    accepted = scores >= threshold
    recalled = _ratio(weights @ (accepted & truth), weights @ truth)
    refused = _ratio(weights @ (~accepted & ~truth), weights @ ~truth)
    return (recalled + refused) / 2


def calibration_error(scores: Floats, truth: Bools, weights: Floats) -> Floats:
    """One figure per row of ``weights`` (resamples, n)."""
    member = _places(scores)[:, None] == np.arange(_BINS)
    gaps = weights @ (member * (scores - truth)[:, None])
    return _ratio(np.abs(gaps).sum(axis=1), weights.sum(axis=1))


def reliability(scores: Floats, truth: Bools) -> tuple[Bin, ...]:
    """The points of a reliability diagram: ten equal-width bins without the empty ones."""
    places = _places(scores)
    return tuple(
        Bin(int(inside.sum()), float(scores[inside].mean()), float(truth[inside].mean()))
        for inside in (places == one for one in np.unique(places))
    )


def _places(scores: Floats) -> NDArray[np.int64]:
    return np.minimum((scores * _BINS).astype(np.int64), _BINS - 1)  # 1.0 belongs to the last bin


def _resample(groups: Sequence[str], resamples: int, seed: int) -> Floats:
    """Counts of how often each item is drawn, shape (resamples, n). Whole groups are drawn with replacement."""
    names, member = np.unique(np.array(groups), return_inverse=True)
    chances = np.full(len(names), 1 / len(names))
    drawn = np.random.default_rng(seed).multinomial(len(names), chances, size=resamples)
    return drawn[:, member].astype(np.float64)


def _figure(values: Floats) -> Figure:
    """The first value is of the original items, the rest are of the resamples. Resamples without both classes drop out."""
    lo, hi = (
        np.nanpercentile(values[1:], _INTERVAL) if np.isfinite(values[1:]).any() else (values[0], values[0])
    )
    return Figure(float(values[0]), float(lo), float(hi))


def _ratio(above: Floats, below: Floats) -> Floats:
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)
