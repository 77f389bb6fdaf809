"""Which small changes of a module do its tests notice? A table, and each change that they do not, with its diff.

The changes are Cosmic Ray's: a comparison turned or made strict, `and` for `or`, a number one higher or lower, and
so on. Cosmic Ray starts a Python for each of them. Here the libraries are imported once, and each change is tested in
a fork, so that a change costs what its tests cost. Hypothesis tries few examples, the same ones each time.

A change that no caller can notice is listed in `equivalent.txt` with the reason. It counts as survived, and is not
shown again.
"""

import argparse
import difflib
import importlib
import importlib.abc
import importlib.util
import math
import multiprocessing
import os
import random
import re
import resource
import signal
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
TESTS = {
    "refiner/decoding/acceptance.py": [
        "tests/decoding/test_acceptance.py",
        "tests/decoding/test_proposals.py",
    ],
    "refiner/decoding/lookup_text.py": ["tests/decoding/test_lookup_text.py"],
    "refiner/decoding/continuation.py": ["tests/decoding/test_proposals.py"],
    "refiner/decoding/proposer.py": ["tests/decoding/test_proposals.py"],
    "refiner/decoding/running_text.py": ["tests/decoding/test_grammar.py"],
    "refiner/decoding/constrained_writer.py": ["tests/decoding/test_constrained_writer.py"],
    "refiner/decoding/grammar.py": ["tests/decoding/test_grammar.py"],
    "refiner/decoding/loop.py": ["tests/decoding/test_loop.py"],
    "refiner/decoding/sampler.py": ["tests/decoding/test_sampler.py"],
    "refiner/diff.py": ["tests/test_diff.py"],
    "refiner/formats/answer.py": ["tests/formats/test_answer.py", "tests/formats/test_brackets.py"],
    "refiner/formats/brackets.py": ["tests/formats/test_brackets.py", "tests/formats/test_answer.py"],
    "refiner/formats/tags.py": ["tests/formats/test_tags.py", "tests/formats/test_answer.py"],
    "refiner/feedback/storage/store.py": ["tests/feedback/test_store.py"],
    "refiner/judges/reply.py": ["tests/judges/test_reply.py", "tests/judges/test_hosted.py"],
    "refiner/scoring/rubrics.py": ["tests/scoring/test_rubrics.py"],
}
"""The tests of a module, where they are not those of its package."""
UNTIMED = "not no_time and not linear_time"
"""Tests of how long something takes fail without a change where other work has the cores."""
MARKS = "not real_model and not browser and not postgres and not slow"
COMPARISONS = {
    "Eq": ["NotEq"],
    "NotEq": ["Eq"],
    "Lt": ["LtE", "GtE"],
    "LtE": ["Lt", "Gt"],
    "Gt": ["GtE", "LtE"],
    "GtE": ["Gt", "Lt"],
    "Is": ["IsNot"],
    "IsNot": ["Is"],
}
ARITHMETIC = {"Add": "Sub", "Sub": "Add", "Mul": "Div", "Div": "Mul", "FloorDiv": "Mul", "Mod": "Mul"}
OPERATORS = [
    *(f"ReplaceComparisonOperator_{old}_{new}" for old, others in COMPARISONS.items() for new in others),
    *(f"ReplaceBinaryOperator_{old}_{new}" for old, new in ARITHMETIC.items()),
    *("ReplaceUnaryOperator_USub_UAdd", "ReplaceUnaryOperator_Delete_Not", "AddNot"),
    *("ReplaceAndWithOr", "ReplaceOrWithAnd", "ReplaceTrueWithFalse", "ReplaceFalseWithTrue"),
    *("ReplaceBreakWithContinue", "ReplaceContinueWithBreak", "ExceptionReplacer", "ZeroIterationForLoop"),
    "NumberReplacer",
]
CPU_FACTOR, CPU_SLACK = 5.0, 5.0
"""A change is killed where its tests take more processor time than this factor of what they take without it, and
these seconds. Processor time, as other work may have the cores."""
WALL_LIMIT = 300.0
"""Seconds after which a change is killed in any case: it may wait for ever."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the operator, the whole source with it, and the lines that differ."""

    operator: str
    source: str
    line: int
    removed: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def diff(self) -> str:
        return "\n".join([*(f"- {line}" for line in self.removed), *(f"+ {line}" for line in self.added)])


class Swap(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from another source than its file's."""

    def __init__(self, name: str, path: Path, source: str) -> None:
        self._name, self._path, self._source = name, path, source

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        del path, target
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, self._path, loader=self)  # type: ignore[arg-type]  # any loader will do

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._source, str(self._path), "exec"), module.__dict__)  # noqa: S102 - this is the change


def mutants(source: str) -> Iterator[Mutant]:
    """Every change of a source, in the order of its lines, each once."""
    found: dict[str, Mutant] = {}
    old = source.splitlines()
    for name in OPERATORS:
        operator, occurrence = get_operator(f"core/{name}")(), 0
        while (changed := mutate_code(source, operator, occurrence)) is not None:
            occurrence += 1
            new = changed.splitlines()
            blocks = [
                block
                for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
                if block[0] != "equal"
            ]
            removed = tuple(_tidy(line) for _, i, j, _, _ in blocks for line in old[i:j])
            added = tuple(_tidy(line) for _, _, _, i, j in blocks for line in new[i:j])
            if not removed[0].startswith(
                "@dataclass"
            ):  # frozen and slots are promises, which no caller tests
                found.setdefault(changed, Mutant(name, changed, blocks[0][1] + 1, removed, added))
    yield from sorted(found.values(), key=lambda one: one.line)


def _tidy(line: str) -> str:
    """The line without its comment and indent. Cosmic Ray leaves two spaces before some replacements."""
    return re.sub(r"(?<=\S) +", " ", line.strip().partition("  #")[0])


def run_tests(tests: Sequence[str], examples: int, swap: Swap | None, sender: Connection | None) -> int:
    """Runs the tests in this process, which must be a fresh one. The names of imported libraries go to ``sender``."""
    if swap is not None:
        sys.meta_path.insert(0, swap)
    hypothesis.settings.register_profile(
        "mutants",
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    options = [
        "-x",
        "-q",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "-k",
        UNTIMED,
        "-m",
        MARKS,
    ]
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        output = sys.stdout if sender is not None else nowhere
        with redirect_stdout(output), redirect_stderr(output):
            code = int(pytest.main([*options, "--hypothesis-profile=mutants", *tests]))
    if sender is not None:
        sender.send(
            [name for name, one in sys.modules.items() if "site-packages" in str(vars(one).get("__file__"))]
        )
    return code


def _child(
    tests: Sequence[str],
    examples: int,
    swap: Swap | None,
    sender: Connection | None = None,
    cpu_limit: float | None = None,
) -> None:
    os.setpgid(0, 0)
    if cpu_limit is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(cpu_limit), math.ceil(cpu_limit)))
    os._exit(run_tests(tests, examples, swap, sender))


def in_a_fork(tests: Sequence[str], examples: int, swap: Swap, cpu_limit: float) -> bool:
    """Whether the tests pass with the change, within the limit of processor seconds."""
    process = multiprocessing.get_context("fork").Process(
        target=_child, args=(tests, examples, swap, None, cpu_limit)
    )
    process.start()
    process.join(WALL_LIMIT)
    if process.exitcode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid or 0, signal.SIGKILL)
        process.join()
    return process.exitcode == 0


def baseline(tests: Sequence[str], examples: int) -> float:
    """Processor seconds of the tests without a change. Imports what they imported, for the forks that follow."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    before = used.ru_utime + used.ru_stime
    process = context.Process(target=_child, args=(tests, examples, None, sender))
    process.start()
    sender.close()
    try:
        libraries = receiver.recv()
    except EOFError:
        libraries = []
    process.join()
    if process.exitcode != 0:
        raise SystemExit(f"Without any change, these fail: {' '.join(tests)}")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = used.ru_utime + used.ru_stime - before
    for name in libraries:
        if not name.startswith(("pytest_", "_hypothesis_pytest", "refiner")):
            with suppress(Exception):
                importlib.import_module(name)
    return taken


def equivalent() -> dict[tuple[str, str], str]:
    """The reason of each listed change, by module and diff."""
    reasons: dict[tuple[str, str], str] = {}
    for block in re.split(r"\n\s*\n", EQUIVALENT.read_text(encoding="utf-8")):
        lines = [line for line in block.splitlines() if line.strip() and not line.startswith("#")]
        if lines:
            diff = "\n".join(line for line in lines if line.startswith(("- ", "+ ")))
            reasons[lines[0], diff] = " ".join(
                line for line in lines[1:] if not line.startswith(("- ", "+ "))
            )
    return reasons


def tests_of(module: str) -> list[str]:
    """The test files of a module's own package. The one of the module's name comes first: it kills most."""
    path = Path(module)
    if module in TESTS:
        return TESTS[module]
    files = Path("tests", *path.parent.parts[1:]).glob("test_*.py")
    return [str(one) for one in sorted(files, key=lambda one: (one.stem != f"test_{path.stem}", one))]


def measure(module: str, examples: int, jobs: int, sample: int) -> tuple[list[Mutant], list[Mutant]]:
    """The changes of a module, or ``sample`` of them if that is not 0, and those that its tests let pass."""
    tests, path = tests_of(module), ROOT / module
    limit = CPU_FACTOR * baseline(tests, examples) + CPU_SLACK
    every = list(mutants(path.read_text(encoding="utf-8")))
    if 0 < sample < len(every):
        every = sorted(random.Random(0).sample(every, sample), key=lambda one: one.line)  # noqa: S311 - no secret
    name = module.removesuffix(".py").replace("/", ".")
    with ThreadPoolExecutor(jobs) as pool:
        passed = list(
            pool.map(lambda one: in_a_fork(tests, examples, Swap(name, path, one.source), limit), every)
        )
    return every, [one for one, passes in zip(every, passed, strict=True) if passes]


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table and what is behind it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="+", metavar="MODULE", help="such as refiner/scoring/rewards.py")
    parser.add_argument("--examples", type=int, default=20, help="of each Hypothesis test (20)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="tests at a time (the cores)")
    parser.add_argument(
        "--sample", type=int, default=0, help="so many changes of each module, always the same (all)"
    )
    options = parser.parse_args(arguments)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    reasons, rows = equivalent(), []
    for module in options.modules:
        every, survivors = measure(module, options.examples, options.jobs, options.sample)
        listed = [one for one in survivors if (module, one.diff) in reasons]
        for one in survivors:
            if one not in listed:
                print(f"\n{module}:{one.line} ({one.operator})\n{one.diff}", flush=True)
        now = {one.diff for one in survivors}
        for of, diff in reasons:
            if of == module and diff not in now:
                print(f"\n{module}: listed in {EQUIVALENT.name}, but killed or gone\n{diff}", flush=True)
        rows.append((module, len(every), len(every) - len(survivors), len(survivors), len(listed)))
        print(f"\n{rows[-1]}", flush=True)  # a long run may be broken off
    print("\n| module | mutants | killed | survived | of these without effect |\n|---|---:|---:|---:|---:|")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")


if __name__ == "__main__":
    main()
