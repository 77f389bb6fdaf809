"""The command line on real files: rows in, rows out, taken up where it stopped, no row ending the run."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from paths import SAMPLE_CASES

from refiner.cli import main
from refiner.engines.local import LocalEngine
from refiner.formats.answer import invented_ids, parse

SAMPLE = (SAMPLE_CASES).read_text(encoding="utf-8").splitlines()
FIELDS = {
    "id",
    "answer",
    "text",
    "claims",
    "findings",
    "reward",
    "draft_reward",
    "model",
    "prompt_version",
    "prompt_tokens",
    "completion_tokens",
    "forward_passes",
    "seconds",
}


@pytest.fixture
def run(qwen_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "RefineCommand":
    monkeypatch.setenv("REFINER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("REFINER_DEVICE", "cpu")
    return RefineCommand(qwen_folder, tmp_path)


class RefineCommand:
    """Cases in a file, run with the tiny model."""

    def __init__(self, model: Path, folder: Path) -> None:
        self.model, self.cases, self.out = model, folder / "cases.jsonl", folder / "out.jsonl"

    def __call__(self, lines: list[str], *options: str) -> Result:
        self.cases.write_text("\n".join(lines), encoding="utf-8")
        arguments = [
            str(self.cases),
            "-o",
            str(self.out),
            "--model",
            str(self.model),
            "--max-new-tokens",
            "32",
        ]
        return CliRunner().invoke(main, ["refine", *arguments, *options])

    def rows(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.read_text(encoding="utf-8").splitlines()]


def test_every_row_holds_a_valid_answer_and_what_it_took(run: RefineCommand) -> None:
    result = run(SAMPLE)
    assert result.exit_code == 0, result.output
    for line, row in zip(SAMPLE, run.rows(), strict=True):
        ids = [source["id"] for source in json.loads(line)["sources"]]
        assert set(row) >= FIELDS
        read = parse(str(row["answer"]), ids)
        assert read.findings == ()
        assert invented_ids(read, ids) == ()
        assert row["text"] == read.text
        assert row["model"] == str(run.model)
    assert "| 3 | 0 | 3 | 0 |" in result.output


def test_a_second_run_does_only_what_is_missing(run: RefineCommand) -> None:
    run(SAMPLE, "--limit", "1")
    first = run.rows()
    run(SAMPLE)
    assert run.rows()[0] == first[0]
    assert [row["id"] for row in run.rows()] == [json.loads(line)["id"] for line in SAMPLE]
    before = run.out.read_bytes()
    run(SAMPLE)
    assert run.out.read_bytes() == before


def test_a_run_broken_off_while_writing_a_row_does_that_row_again(run: RefineCommand) -> None:
    run(SAMPLE)
    whole = run.rows()
    lines = run.out.read_text(encoding="utf-8").splitlines(keepends=True)
    run.out.write_text(lines[0] + lines[1][:100], encoding="utf-8")
    run(SAMPLE)
    assert [row["answer"] for row in run.rows()] == [row["answer"] for row in whole]


BAD = {
    "{not json": "not a JSON object",
    '["a list"]': "not a JSON object",
    '{"id": "nothing in it"}': "no question",
    '{"id": "no sources", "question": "Q?", "draft": "D.", "sources": 7}': "'sources'",
    '{"id": "a number asked", "question": 3, "draft": "D.", "sources": []}': "'question'",
    json.dumps(
        {
            "id": "too long",
            "question": "Q?",
            "draft": "word " * 9000,
            "sources": [{"id": "1", "text": "T."}],
        }
    ): "6,144",
    '{"id": "no rubric", "question": "Q?", "draft": "D.", "sources": [{"id": "1", "text": "T."}], "rubrics": [[]]}': (
        "rubric"
    ),
}
"""Rows that cannot be refined, each with a word of what is said of it."""


def test_a_bad_row_is_an_error_in_its_place_and_the_others_go_on(run: RefineCommand) -> None:
    result = run([*BAD, SAMPLE[0]])
    assert result.exit_code == 0, result.output
    *bad, good = run.rows()
    for row, word in zip(bad, BAD.values(), strict=True):
        assert set(row) == {"id", "error"}
        assert word in str(row["error"])
    assert good["claims"] is not None
    assert f"| {len(BAD) + 1} | {len(BAD)} | 1 |" in result.output


def test_what_failed_is_tried_again(run: RefineCommand) -> None:
    case = {**json.loads(SAMPLE[0]), "draft": ""}
    run([json.dumps(case)])
    assert "error" in run.rows()[0]
    run(SAMPLE[:1])
    (row,) = run.rows()
    assert "error" not in row


def test_an_id_used_twice_is_told_apart_by_its_line(run: RefineCommand) -> None:
    run([SAMPLE[0], SAMPLE[0]])
    first, second = run.rows()
    assert second["id"] == f"{first['id']}@line2"
    assert second["answer"] == first["answer"]


def test_a_file_of_another_model_is_not_mixed_into(run: RefineCommand, tmp_path: Path) -> None:
    run(SAMPLE, "--limit", "1")
    row = {**run.rows()[0], "model": "another"}
    run.out.write_text(json.dumps(row) + "\n", encoding="utf-8")
    result = run(SAMPLE)
    assert result.exit_code == 1
    assert "another" in result.output
    assert run.rows() == [row]
    assert list(tmp_path.glob("*.tmp")) == []


def test_a_seed_repeats_a_sampled_run(run: RefineCommand, tmp_path: Path) -> None:
    answers = []
    for name in ("one", "two"):
        run.out = tmp_path / f"{name}.jsonl"
        run(SAMPLE, "--limit", "1", "--temperature", "1", "--seed", "3")
        answers.append(run.rows()[0]["answer"])
    assert answers[0] == answers[1]


def test_a_local_model_can_judge_and_its_verdicts_are_in_the_row(
    run: RefineCommand, scorer: LocalEngine
) -> None:
    run.model = Path(str(scorer._model))
    result = run(SAMPLE, "--limit", "1", "--judge", "logits")
    assert result.exit_code == 0, result.output
    reward: Any = run.rows()[0]["reward"]
    assert reward["basis"] == "judged"
    assert 0 <= reward["total"] <= 1
    first = reward["rubric"]["criteria"][0]
    assert first["judge"].endswith("by probabilities")
    assert first["confidence"] > 0.5
    assert first["raw"].startswith("0: ")


def test_rows_of_another_judge_are_not_mixed_with_this_ones(run: RefineCommand) -> None:
    assert run(SAMPLE, "--limit", "1", "--judge", "lexical").exit_code == 0
    before = run.rows()
    result = run(SAMPLE, "--limit", "1", "--judge", "logits")
    assert result.exit_code == 1
    assert "judged by lexical estimate" in result.output
    assert run.rows() == before


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (("--max-new-tokens", "15"), "16<=x<=8192"),
        (("--limit", "0"), "x>=1"),
        (("--model", "/no/such.gguf"), "there is no file"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    run: RefineCommand, options: tuple[str, ...], word: str
) -> None:
    result = run(SAMPLE, *options)
    assert result.exit_code != 0
    assert word in result.output
    assert "Traceback" not in result.output


def test_help_is_instant_for_it_loads_no_library_of_weight() -> None:
    code = "import sys, refiner.cli; sys.exit(bool({'torch', 'transformers', 'gradio', 'numpy'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - this very interpreter
