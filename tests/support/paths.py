"""Paths of the repository's files, for tests and benchmarks."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
DATA = TESTS / "data"
SAMPLE_CASES = DATA / "refine_cases_sample.jsonl"
"""Three cases of ScholarQABench, one JSON object per line."""
