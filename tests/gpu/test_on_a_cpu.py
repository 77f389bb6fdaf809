"""`make gpu`, as far as a CPU can run it: every check and every table, on a tiny model."""

import checks
import figures
import pytest

pytestmark = pytest.mark.model


def test_every_check_holds(capsys: pytest.CaptureFixture[str]) -> None:
    checks.main(["--device", "cpu", "--small"])
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == len(checks.CHECKS)
    assert "FAILED" not in printed


def test_a_check_that_fails_is_named_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing_holds(_: str, *, small: bool) -> str:
        raise AssertionError(f"small is {small}")

    monkeypatch.setattr(checks, "CHECKS", (nothing_holds, checks.a_capture_that_fails_falls_back))
    with pytest.raises(SystemExit, match="1 of 2 checks failed"):
        checks.main(["--device", "cpu", "--small"])
    failed, held = capsys.readouterr().out.splitlines()
    assert failed.startswith("nothing holds: FAILED: AssertionError: small is True")
    assert "no capture on purpose" in held


def test_the_tables_are_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(figures, "TIMED", 1)
    monkeypatch.setattr(figures, "CACHES", (2048,))
    figures.main(["--device", "cpu", "--small"])
    printed = capsys.readouterr().out
    rows = [line for line in printed.splitlines() if line.startswith("| ") and "2048" in line]
    assert len(rows) == 3
    assert "24 checks after one beginning" in printed
    assert "Live writing: left out" in printed
