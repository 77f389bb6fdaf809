"""The documentation holds: its code runs, its commands, settings, files and links exist."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import click
import pytest
from click.testing import CliRunner
from paths import ROOT

from refiner.cli import main
from refiner.domain import Form, Mix
from refiner.prompts.prompt_file import BUILT_IN
from refiner.scoring import rubrics
from refiner.settings import JUDGE_MODEL, Device, JudgeKind, Settings

MANUAL = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
"""What users read."""
PAGES = (*MANUAL, ROOT / "ARCHITECTURE.md", ROOT / "CONTRIBUTING.md")
MAX_README_WORDS = 850
PROMPT_VARIABLE = "REFINER_PROMPT_FILE"
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
ROWS = {
    row[0]: row[1:]
    for row in re.findall(
        r"^\| `(\w+)` \| (.+) \| (.+) \|$", (ROOT / "docs/settings.md").read_text("utf-8"), re.MULTILINE
    )
}
"""Of the table of settings: a variable's meaning and default."""


class RecordingEnvironment(dict[str, str]):
    """An environment that notes which variables are asked for."""

    def __init__(self, **values: str) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]  # only str is stored
        self.names.add(name)
        return super().get(name, default)


def variables() -> set[str]:
    """Every variable that the settings read, those included that are only read where others are set."""
    environ = RecordingEnvironment(SYSTEM="spaces", SPACE_ID="ada/refiner", REFINER_COMPILE="1")
    Settings.from_environment(environ)
    return environ.names


VARIABLES = variables()


def blocks(pages: tuple[Path, ...], language: str) -> list[object]:
    """The fenced blocks of one language, as parameters named by page and line."""
    found: list[object] = []
    for page in pages:
        for match in re.finditer(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            if match[1] == language:
                line = page.read_text("utf-8").count("\n", 0, match.start()) + 1
                found.append(pytest.param(match[2], id=f"{page.name}:{line}"))
    return found


def by_name(page: Path) -> str:
    return page.name


def leaves(command: click.Command, name: str) -> Iterator[str]:
    """The full names of all commands."""
    if isinstance(command, click.Group):
        for part, child in command.commands.items():
            yield from leaves(child, f"{name} {part}")
    else:
        yield name


def check_refiner(args: list[str]) -> None:
    """Click's own errors, where a command, an option, a value or a file does not exist."""
    command: click.Command = main
    while isinstance(command, click.Group):
        command = command.commands[args.pop(0)]
    command.make_context(command.name, args)


def check_shell(line: str) -> None:
    words = shlex.split(line, comments=True)
    environ = {}
    while re.match(r"[A-Z_]+=", words[0]):
        name, _, value = words.pop(0).partition("=")
        environ[name] = value
    assert environ.keys() <= VARIABLES
    Settings.from_environment(environ)
    program, *args = words
    if program == "make":
        assert args[0] in TARGETS
    else:
        assert program.removeprefix(".venv/bin/") == "refiner"
        check_refiner(args)


@pytest.mark.parametrize("block", blocks((*MANUAL, ROOT / "CONTRIBUTING.md"), ""))
def test_a_shell_block_names_what_exists(block: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    if block.startswith("<answer>"):
        return  # not for a shell; tests/scoring/test_worked_example.py reads it
    for line in block.splitlines():
        check_shell(re.sub(r"^(make \w+)(?: \w+=\S+)? {2,}.*", r"\1", line))


@pytest.mark.parametrize(
    "line", ["refiner refin", "refiner serve --prot 1", "make tset", "REFINER_MODLE=x make run"]
)
def test_a_slip_would_be_found(line: str) -> None:
    with pytest.raises((AssertionError, KeyError, click.ClickException)):
        check_shell(line)


@pytest.mark.real_model
@pytest.mark.parametrize("block", blocks(MANUAL, "python"))
def test_a_python_block_runs(
    block: str, converted_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REFINER_CACHE", str(converted_model))
    monkeypatch.setenv("REFINER_DEVICE", "cpu")
    exec(compile(block, "block", "exec"), {})  # noqa: S102 - our own documentation
    assert capsys.readouterr().out == "Cats purr when they are content.\n"


@pytest.mark.parametrize("block", blocks(MANUAL, "json"))
def test_a_json_block_is_a_rubric_that_reads_without_a_finding(block: str) -> None:
    assert json.loads(block)
    criteria, findings = rubrics.parse(block)
    assert criteria
    assert not findings


def test_every_block_is_of_a_kind_that_is_checked() -> None:
    kinds = {
        kind for page in MANUAL for kind in re.findall(r"^```(\w+)$", page.read_text("utf-8"), re.MULTILINE)
    }
    assert kinds == {"python", "json"}


@pytest.mark.parametrize(
    "command",
    ["feedback count", "judge-eval tests/data/scifact_labels.jsonl --judge lexical"],
)
def test_a_cheap_command_of_the_manual_runs(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert any(f"refiner {command}" in page.read_text("utf-8") for page in MANUAL)
    monkeypatch.chdir(ROOT)
    environ = {
        "REFINER_CACHE": str(tmp_path),
        "REFINER_DEVICE": "cpu",
        "DATABASE_URL": f"sqlite:///{tmp_path}/f.db",
    }
    done = CliRunner().invoke(main, shlex.split(command), env=environ)
    assert done.exit_code == 0, done.output


def test_every_command_is_in_the_manual() -> None:
    text = "\n".join(page.read_text("utf-8") for page in MANUAL)
    assert [name for name in leaves(main, "refiner") if name not in text] == []


def test_the_table_of_settings_has_the_variables_that_are_read() -> None:
    assert ROWS.keys() == VARIABLES


def test_its_defaults_are_those_of_the_settings() -> None:
    stated = {name: default.strip("`") for name, (_, default) in ROWS.items() if default.startswith("`")}
    assert ROOT / stated.pop(PROMPT_VARIABLE) == BUILT_IN
    assert Settings.from_environment(stated) == Settings.from_environment({})
    assert stated.keys() >= {"REFINER_ENGINE", "REFINER_MAX_NEW_TOKENS", "GRADIO_SERVER_PORT"}
    assert ROWS["REFINER_JUDGE_MODEL"][1].endswith(JUDGE_MODEL)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("REFINER_DEVICE", get_args(Device)),
        ("REFINER_FORM", ("auto", *get_args(Form))),
        ("REFINER_JUDGE", get_args(JudgeKind)),
        ("REFINER_MIX", get_args(Mix)),
    ],
)
def test_its_choices_are_those_of_the_settings(name: str, values: tuple[str, ...]) -> None:
    assert set(re.findall(r"`(\w+)`", ROWS[name][0])) == set(values)


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_variables_targets_and_files_exist(page: Path) -> None:
    text = page.read_text("utf-8")
    assert set(re.findall(r"\b(?:REFINER|GRADIO)_[A-Z_]+\b", text)) <= VARIABLES
    assert set(re.findall(r"(?:`|^)make ([a-z]+)", text, re.MULTILINE)) <= TARGETS
    files = re.findall(r"`((?:refiner|tests|assets|docs|\.ci)/[\w./-]*)`", text)
    made = {"refiner/assets"}  # inside a wheel
    assert [file for file in files if file not in made and not (ROOT / file).exists()] == []


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=by_name)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        if link.startswith("https://"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.is_file(), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_is_short() -> None:
    body = (ROOT / "README.md").read_text("utf-8").split("---\n", 2)[2]
    assert len(body.split()) <= MAX_README_WORDS
