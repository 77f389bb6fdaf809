"""Checks the report of `make test`: the browser, a real model, PostgreSQL and the Space were tested, nothing skipped."""

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

MUST_RUN = ("test_page", "test_pace", "test_local", "test_store", "test_votes", "test_space")
ON_POSTGRESQL = "test_a_rating_comes_back_as_it_was_given[postgresql]"


def main(report: Path) -> None:
    """Exit with what is missing in the JUnit report."""
    cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314 - our own test report
    skipped = [case.get("name", "") for case in cases if case.find("skipped") is not None]
    modules = {case.get("classname", "").rsplit(".", 1)[-1] for case in cases}
    missing = [module for module in MUST_RUN if module not in modules]
    if not any(case.get("name") == ON_POSTGRESQL for case in cases):
        missing.append("PostgreSQL")
    if skipped or missing:
        sys.exit(f"Not run: {', '.join([*missing, *skipped])}")
    sys.stdout.write(
        f"{len(cases)} tests ran: in the browser, with real models and on PostgreSQL too. None was skipped.\n"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
