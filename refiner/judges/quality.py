"""How good a judge was measured to be: its figures on human labels, as JSON beside the converted models.

A record belongs to one judge in one version. A judge without a record has not been measured, and the page says so.
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
class Stress:
    """Claims that the judge accepted, changed so that they are false: the share, in [0, 1], it then did not."""

    kind: str
    n: int
    caught: float


@dataclass(frozen=True, slots=True)
class LabelRate:
    """Of ``n`` claims that the judge gave this label, the share, in [0, 1], that people found unsupported."""

    label: str
    n: int
    unsupported: float


@dataclass(frozen=True, slots=True)
class Alarms:
    """Of ``n`` claims that people found supported, the shares, in [0, 1], that the judge does not accept.

    ``by_score`` is by its value alone, ``with_checks`` by what it notices as well: the price of the latter.
    """

    n: int
    by_score: float
    with_checks: float


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured of a judge: ``date`` in ISO form, one evaluation a data set by its name.

    ``labels`` are there where the judge has labels of its own, ``stress`` where it was put to that test.
    """

    judge: str
    version: str
    date: str
    data: Mapping[str, Evaluation] = field(default_factory=dict)
    labels: tuple[LabelRate, ...] = ()
    stress: tuple[Stress, ...] = ()
    alarms: Alarms | None = None


def read(folder: Path, judge: str, version: str) -> Quality | None:
    """The record of this judge in this version; None where it has not been measured, or not readably."""
    try:
        found = from_json(json.loads(_file(folder, judge, version).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return found if (found.judge, found.version) == (judge, version) else None


def keep(folder: Path, quality: Quality) -> Quality:
    """Write the record, with what an earlier one has of other data sets; `StoreError` where it cannot be written."""
    before = read(folder, quality.judge, quality.version)
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


def from_json(data: Mapping[str, Any]) -> Quality:
    """A record as `keep` writes it; raises KeyError, TypeError or AttributeError on another."""
    return Quality(
        judge=data["judge"],
        version=data["version"],
        date=data["date"],
        data={name: _evaluation(one) for name, one in data["data"].items()},
        labels=tuple(LabelRate(**one) for one in data.get("labels", ())),
        stress=tuple(Stress(**one) for one in data.get("stress", ())),
        alarms=Alarms(**data["alarms"]) if data.get("alarms") else None,
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
