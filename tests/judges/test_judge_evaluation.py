"""A judge is measured on human labels: label files are read, and figures are saved and shown."""

import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from paths import DATA

from refiner.cli import main
from refiner.domain import Check, Verdict
from refiner.errors import InputError
from refiner.judges import evaluation, quality
from refiner.judges.lexical.judge import LexicalJudge
from refiner.judges.quality import FalseAlarms, LabelRate, Quality, StressResult
from refiner.render.scores import judge_quality as drawn
from refiner.scoring.metrics import Bin, Evaluation, Figure

SCIFACT = DATA / "scifact_labels.jsonl"
EVALUATION = Evaluation(
    4, 3, Figure(0.75, 0.5, 1.0), Figure(0.5, 0.25, 0.75), None, (Bin(2, 0.2, 0.5), Bin(1, 0.9, 1.0))
)
QUALITY = Quality(
    "a <b>judge</b>",
    "v-1",
    "2026-11-25",
    {"wice": EVALUATION},
    (LabelRate("weak <i>overlap</i>", 50, 0.62),),
    (StressResult("negation", 200, 0.8),),
    FalseAlarms(100, 0.1, 0.25),
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REFINER_CACHE", str(tmp_path))
    return tmp_path


def test_json_holds_each_figure_with_its_interval(cache: Path) -> None:
    del cache
    result = CliRunner().invoke(main, ["judge-eval", str(SCIFACT), "--judge", "lexical", "--json"])
    assert result.exit_code == 0, result.output
    (row,) = json.loads(result.stdout)
    assert row["n"] == row["scored"] == len(SCIFACT.read_text(encoding="utf-8").splitlines())
    for name in ("auroc", "balanced_accuracy", "ece"):
        low, high = row[f"{name}_interval"]
        assert 0 <= low <= row[name] <= high <= 1


def test_the_table_and_the_plot_are_for_people(cache: Path) -> None:
    out = cache / "plot.svg"
    result = CliRunner().invoke(main, ["judge-eval", str(SCIFACT), "--judge", "lexical", "--plot", str(out)])
    assert result.exit_code == 0, result.output
    assert "| scifact_labels | " in result.stdout
    assert ET.fromstring(out.read_text(encoding="utf-8")).tag.endswith("svg")  # noqa: S314 - our own file


def test_what_was_measured_is_kept_for_the_page_unless_only_part_was(cache: Path) -> None:
    judge = LexicalJudge()
    command = ["judge-eval", str(SCIFACT), "--judge", "lexical"]
    assert CliRunner().invoke(main, [*command, "--limit", "5"]).exit_code == 0
    assert quality.load_quality(cache, judge.name, judge.version) is None
    assert CliRunner().invoke(main, command).exit_code == 0
    kept = quality.load_quality(cache, judge.name, judge.version)
    assert kept is not None
    assert list(kept.data) == ["scifact_labels"]
    assert quality.load_quality(cache, judge.name, "another version") is None


def test_two_files_of_one_name_are_refused_before_any_is_measured(cache: Path) -> None:
    files = [cache / folder / "test.jsonl" for folder in "ab"]
    for file in files:
        file.parent.mkdir()
        file.write_text(SCIFACT.read_text(encoding="utf-8"), encoding="utf-8")
    result = CliRunner().invoke(main, ["judge-eval", *map(str, files), "--judge", "lexical"])
    assert result.exit_code == 1
    assert "have the same name" in result.output


def test_figures_are_told_even_where_the_plot_cannot_be_written(cache: Path) -> None:
    command = ["judge-eval", str(SCIFACT), "--judge", "lexical", "--plot", str(cache / "no/plot.svg")]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert "| scifact_labels | " in result.stdout


def test_a_judge_that_scores_nothing_says_why_and_leaves_no_record(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REFINER_JUDGE_URL", "http://127.0.0.1:9/v1")
    result = CliRunner().invoke(main, ["judge-eval", str(SCIFACT)])
    assert result.exit_code == 0, result.output
    assert "74 not scored: " in result.stderr
    assert not (cache / "judges").exists()


def test_a_record_reads_back_and_takes_up_what_was_there(tmp_path: Path) -> None:
    quality.save_quality(tmp_path, QUALITY)
    assert quality.load_quality(tmp_path, QUALITY.judge, QUALITY.version) == QUALITY
    more = quality.save_quality(tmp_path, replace(QUALITY, data={"scifact": EVALUATION}))
    assert set(more.data) == {"wice", "scifact"}


def test_a_damaged_record_counts_as_not_measured(tmp_path: Path) -> None:
    quality.save_quality(tmp_path, QUALITY)
    (file,) = (tmp_path / "judges").iterdir()
    file.write_text('{"judge": 3}', encoding="utf-8")
    assert quality.load_quality(tmp_path, QUALITY.judge, QUALITY.version) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("", "holds no label", id="empty"),
        pytest.param("{", "line 1 is not JSON", id="not JSON"),
        pytest.param('\n{"claim": "A"}', "line 2 must hold claim", id="no evidence"),
        pytest.param(
            '{"claim": "A", "evidence": ["B"], "supported": 1}', "must hold", id="a number for a label"
        ),
        pytest.param("[1]", "must hold", id="a list"),
        pytest.param(
            '{"claim": "A", "evidence": [null], "supported": true}', "must hold", id="evidence no text"
        ),
    ],
)
def test_a_file_that_holds_no_labels_is_refused_with_the_line(
    tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        evaluation.read_labels(file)


class Alternating:
    """Fails on every other claim."""

    name, version, threshold, quality = "alternating", "1", 0.5, None

    def judge(self, checks: Sequence[Check], stop: object = None) -> Generator[dict[int, Verdict]]:
        del stop
        for place in range(len(checks)):
            yield {place: Verdict(None if place % 2 else 0.5, "judged", "because", self.name)}


def test_claims_that_the_judge_failed_on_are_counted_as_not_scored() -> None:
    progress: list[int] = []
    measured = evaluation.measure_judge(Alternating(), evaluation.read_labels(SCIFACT), progress.append)
    assert measured.evaluation.n == len(measured.verdicts) == sum(progress)
    assert measured.evaluation.scored == pytest.approx(measured.evaluation.n / 2, abs=1)


def test_the_fold_shows_figures_intervals_and_misses_or_that_nothing_was_measured() -> None:
    page = drawn.judge_quality_fold(QUALITY.judge, QUALITY)
    assert "0.75 <small>[0.50–1.00]</small>" in page
    assert "not scored" in page
    assert "3 scored" in page
    assert "<td><bdi>negation</bdi></td><td>200</td><td>80%</td>" in page
    assert "<b>judge</b>" not in page
    assert "does not accept 10%, with what it notices 25%" in page
    rates = drawn.error_rates(QUALITY)
    assert "62% of those called “<bdi>weak &lt;i&gt;overlap&lt;/i&gt;</bdi>” were unsupported" in rates
    assert drawn.error_rates(None) == ""
    assert "has not been measured here" in drawn.judge_quality_fold("some model", None)
