"""Fixing files: what is written, what is only shown, what is left alone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from safecelery.lint.atomic import write_atomically
from safecelery.lint.config import LintConfig
from safecelery.lint.finding import Finding, LintResult
from safecelery.lint.fix import run
from safecelery.lint.fix.run import FixReport, fix_files
from tests.unit.lint.fix.fix_builders import LIMITS, found

TASK = "@app.task(retry_jitter=False)\ndef charge(): ..."


class _Policy:
    limits = LIMITS


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    project = tmp_path / "project"
    (project / "shop").mkdir(parents=True)
    monkeypatch.chdir(project)
    monkeypatch.setattr(run, "load_policy", lambda _: _Policy)
    return project / "shop"


def fix(*findings: Finding, unsafe: bool = False, write: bool = True, **config: Any) -> FixReport:
    return fix_files(LintResult(findings=findings), LintConfig(**config), unsafe=unsafe, write=write)


class TestWriting:
    def test_changes_the_file_keeps_its_mode_and_counts_by_code(self, shop: Path) -> None:
        file = shop / "tasks.py"
        file.write_bytes(TASK.encode())
        file.chmod(0o640)
        report = fix(found("SFC605"), found("SFC401"))
        assert file.read_bytes() == TASK.replace("False", "True").encode()
        assert file.stat().st_mode & 0o777 == 0o640
        assert (report.fixed, report.changed, report.unsafe) == ({"SFC605": 1}, ("shop/tasks.py",), 1)
        assert (report.diffs, report.refused) == ((), ())
        assert [path.name for path in shop.iterdir()] == ["tasks.py"]

    def test_does_nothing_without_a_finding_that_can_be_fixed(self, shop: Path) -> None:
        assert fix(found("SFC410"), found("SFC999")) == FixReport()

    def test_of_one_file_is_not_stopped_by_another(self, shop: Path) -> None:
        (shop / "tasks.py").write_text(TASK)
        (shop / "broken.py").write_text("def f(:\n")
        report = fix(found("SFC605", path="shop/broken.py"), found("SFC605"), found("SFC605", path="shop/gone.py"))
        assert report.changed == ("shop/tasks.py",)
        assert [reason.partition(":")[0] for reason in report.refused] == ["shop/broken.py", "shop/gone.py"]
        assert "cannot be parsed" in report.refused[0]

    def test_that_fails_leaves_the_old_file_and_no_other(self, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (shop / "tasks.py").write_text(TASK)

        def fail(_: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", fail)
        report = fix(found("SFC605"))
        assert report.refused == ("shop/tasks.py: left alone: No space left on device",)
        assert (report.fixed, report.changed) == ({}, ())
        assert [(path.name, path.read_text()) for path in shop.iterdir()] == [("tasks.py", TASK)]


class TestDiff:
    def test_shows_what_would_change_and_writes_nothing(self, shop: Path) -> None:
        (shop / "tasks.py").write_bytes(("x = '\u2028\x0c'\r\n" + TASK).encode())
        report = fix(found("SFC605", 2), found("SFC401", 2), write=False, unsafe=True)
        assert (shop / "tasks.py").read_bytes() == ("x = '\u2028\x0c'\r\n" + TASK).encode()
        assert report.fixed == {"SFC401": 1, "SFC605": 1}
        (diff,) = report.diffs
        assert diff.startswith("--- shop/tasks.py\n+++ shop/tasks.py\n@@ ")
        assert "+@app.task(retry_jitter=True, time_limit=1800)\n" in diff

    def test_is_one_that_patch_takes(self, shop: Path) -> None:
        (shop / "tasks.py").write_text(TASK.replace("False)", "False)  # \u00e9"))
        (diff,) = fix(found("SFC605"), write=False).diffs
        subprocess.run(["git", "apply", "-p0", "--unidiff-zero", "-"], input=diff.encode(), check=True)
        assert "retry_jitter=True)  # \u00e9" in (shop / "tasks.py").read_text()
        assert not (shop / "tasks.py").read_bytes().endswith(b"\n")


class TestLinks:
    def test_out_of_the_project_are_not_followed(self, shop: Path) -> None:
        outside = shop.parents[1] / "outside"
        outside.mkdir()
        (outside / "tasks.py").write_text(TASK)
        (shop / "tasks.py").symlink_to(outside / "tasks.py")
        (shop / "more").symlink_to(outside)
        report = fix(found("SFC605"), found("SFC605", path="shop/more/tasks.py"))
        assert all("symbolic link out of the project" in reason for reason in report.refused)
        assert len(report.refused) == 2
        assert (outside / "tasks.py").read_text() == TASK

    def test_within_the_project_stay_links(self, shop: Path) -> None:
        (shop / "real.py").write_text(TASK)
        (shop / "tasks.py").symlink_to("real.py")
        assert fix(found("SFC605")).refused == ()
        assert (shop / "tasks.py").is_symlink()
        assert "True" in (shop / "real.py").read_text()

    def test_files_elsewhere_that_were_named_are_fixed(self, shop: Path) -> None:
        elsewhere = shop.parents[1] / "tasks.py"
        elsewhere.write_text(TASK)
        assert fix(found("SFC605", path=str(elsewhere))).changed == (str(elsewhere),)

    def test_what_is_no_file_is_left_alone(self, shop: Path) -> None:
        os.mkfifo(shop / "tasks.py")
        assert "not a regular file" in fix(found("SFC605")).refused[0]


def test_a_new_file_gets_the_mode_the_process_asks_for(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_atomically(tmp_path / "new", b"x")
    finally:
        os.umask(old)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640
