"""``safecelery broker`` where none runs; a running one is tests/integration/test_cli_commands.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]


def test_status_says_no_with_its_exit_code(run: Run, tmp_path: Path) -> None:
    result = run("broker", "status", "shop")
    assert result.exit_code == 1
    assert str(tmp_path / "state" / "safecelery" / "shop") in result.output


def test_stopping_what_does_not_run_is_no_error(run: Run) -> None:
    result = run("broker", "stop", "shop")
    assert (result.exit_code, result.output) == (0, "was not running\n")


def test_a_state_directory_from_the_settings_is_honoured(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFECELERY_STATE_DIR", str(tmp_path / "mine"))
    assert str(tmp_path / "mine" / "redis.sock") in run("broker", "status", "shop").output


def test_settings_nobody_reads_are_an_error_here_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFECELERY_STATE_DIRR", "x")
    result = run("broker", "status", "shop")
    assert result.exit_code == 2
    assert "did you mean 'SAFECELERY_STATE_DIR'?" in result.stderr


def test_anything_else_is_a_usage_error(run: Run) -> None:
    assert run("broker", "restart", "shop").exit_code == 2
