"""A judge's measured quality: its figures on human labels, saved as JSON beside the converted models.

A record belongs to one version of one judge. A judge without a record has not been measured, and the page says so.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from refiner.errors import StoreError
from refiner.scoring.metrics import Bin, Evaluation, Figure


@dataclass(frozen=True, slots=True)
class StressResult:
    """A stress test: ``n`` claims that the judge accepted were changed so that they are false.

    ``caught`` is the share of them, in [0, 1], that the judge no longer accepted.
    """

    kind: str
    n: int
    caught: float


@dataclass(frozen=True, slots=True)
class LabelRate:
    """The share, in [0, 1], that people found unsupported among the ``n`` claims that the judge gave this label."""

    label: str
    n: int
    unsupported: float


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """The shares, in [0, 1], that the judge does not accept among the ``n`` claims that people found supported.

    ``by_score`` counts the judge's value alone. ``with_checks`` counts what its checks notice as well. The
    difference is the price of those checks.
    """

    n: int
    by_score: float
    with_checks: float


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured of a judge. ``date`` is in ISO form. ``data`` has an evaluation per data set name.

    ``labels`` is empty where the judge has no labels of its own, ``stress`` where it was not stress-tested.
    """

    judge: str
    version: str
    date: str
    data: Mapping[str, Evaluation] = field(default_factory=dict)
    labels: tuple[LabelRate, ...] = ()
    stress: tuple[StressResult, ...] = ()
    alarms: FalseAlarms | None = None


def load_quality(folder: Path, judge: str, version: str) -> Quality | None:
    """Load the record of this version of this judge. None where there is none or it cannot be read."""
    try:
        quality = quality_from_json(json.loads(_file(folder, judge, version).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return quality if (quality.judge, quality.version) == (judge, version) else None


def save_quality(folder: Path, quality: Quality) -> Quality:
    """Save the record and return it, together with an earlier record's figures on other data sets.

    Raises `StoreError` where it cannot be written.
    """
    before = load_quality(folder, quality.judge, quality.version)
    whole = replace(quality, data={**(before.data if before else {}), **quality.data})
    file = _file(folder, quality.judge, quality.version)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(whole), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(
            f"The judge's figures could not be kept: {error}. Set REFINER_CACHE to a folder."
        ) from error
    return whole


def quality_from_json(data: Mapping[str, Any]) -> Quality:
    """Parse a record that `save_quality` wrote. Raises KeyError, TypeError or AttributeError on anything else."""
    return Quality(
        judge=data["judge"],
        version=data["version"],
        date=data["date"],
        data={name: _evaluation(one) for name, one in data["data"].items()},
        labels=tuple(LabelRate(**one) for one in data.get("labels", ())),
        stress=tuple(StressResult(**one) for one in data.get("stress", ())),
        alarms=FalseAlarms(**data["alarms"]) if data.get("alarms") else None,
    )


def _evaluation(data: Mapping[str, Any]) -> Evaluation:
    figures = {
        name: Figure(**data[name]) if data[name] else None for name in ("auroc", "balanced_accuracy", "ece")
    }
    bins = tuple(Bin(**one) for one in data["bins"])
    return Evaluation(n=data["n"], scored=data["scored"], bins=bins, **figures)


def _file(folder: Path, judge: str, version: str) -> Path:
    words = re.sub(r"[^A-Za-z0-9.]+", "-", f"{judge} {version}").strip("-")[-60:]
    name = f"{words}-{hashlib.sha256(f'{judge}|{version}'.encode('utf-8', 'replace')).hexdigest()[:8]}"
    return folder.expanduser() / "judges" / f"{name}.json"
