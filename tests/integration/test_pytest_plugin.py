"""``pytest --safecelery`` in a project of its own, by the entry point that an installation has."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BAD = "from celery import Celery\napp = Celery('shop')\n\n@app.task\ndef charge(): ...\n"

Pytest = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def room(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "test_own.py").write_text("def test_own(): ...\n")
    return tmp_path / "project"


@pytest.fixture
def run(room: Path, tmp_path: Path) -> Pytest:
    """The plugin is found as pytest finds any: by metadata of a distribution on the path."""
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    metadata = tmp_path / "installed" / "safecelery_entry_point-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: safecelery-entry-point\nVersion: 1\n")
    lines = [f"{name}_under_test = {target}" for name, target in points.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]) + "\n")
    path = os.pathsep.join([str(metadata.parent), *sys.path])

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:safecelery", *words],
            cwd=room, capture_output=True, text=True, timeout=60, check=False,
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": path},
        )  # fmt: skip

    return call


def outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return dict(re.findall(r"^(safecelery::\S+) (PASSED|FAILED|ERROR)", done.stdout, re.MULTILINE))


def test_without_the_option_nothing_happens_and_nothing_is_imported(run: Pytest, room: Path) -> None:
    (room / "test_own.py").write_text(
        "import sys\n\ndef test_own():\n"
        "    assert 'safecelery.testing.pytest_plugin' in sys.modules\n"
        "    heavy = [m for m in sys.modules if m.startswith(('safecelery.lint', 'safecelery.policy', 'celery'))]\n"
        "    assert heavy == []\n"
    )
    done = run("--strict-markers", "-v")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_a_clean_project_passes_every_family(run: Pytest) -> None:
    done = run("--safecelery", "-v", "--strict-markers")
    assert done.returncode == 0, done.stdout + done.stderr
    found = outcomes(done)
    assert set(found.values()) == {"PASSED"}
    assert {"safecelery::4xx-time-limits", "safecelery::everything-read"} <= set(found)
    assert "test_own.py::test_own PASSED" in done.stdout


def test_the_family_of_a_finding_fails_with_a_line_that_says_where(run: Pytest, room: Path) -> None:
    (room / "shop.py").write_text(BAD)
    done = run("--safecelery", "-v")
    assert done.returncode == 1
    assert outcomes(done)["safecelery::4xx-time-limits"] == "FAILED"
    assert outcomes(done)["safecelery::everything-read"] == "PASSED"
    assert re.search(r"^shop\.py:4: SFC401 .* hard time limit", done.stdout, re.MULTILINE)
    assert "Traceback" not in done.stdout
    assert "LintItem" not in done.stdout


def test_a_file_that_cannot_be_read_fails_a_test_of_its_own(run: Pytest, room: Path) -> None:
    (room / "shop.py").write_text("from celery import Celery\ndef broken(:\n")
    done = run("--safecelery", "-v")
    assert outcomes(done)["safecelery::everything-read"] == "FAILED"
    assert "shop.py:2" in done.stdout


def test_the_projects_configuration_counts(run: Pytest, room: Path) -> None:
    (room / "shop.py").write_text(BAD)
    (room / "pyproject.toml").write_text('[tool.safecelery]\nselect = ["SFC2"]\n[tool.pytest.ini_options]\n')
    assert outcomes(run("--safecelery", "-v"))["safecelery::4xx-time-limits"] == "PASSED"


def test_a_wrong_configuration_is_a_sentence(run: Pytest, room: Path) -> None:
    (room / "pyproject.toml").write_text('[tool.safecelery]\nselekt = ["SFC2"]\n[tool.pytest.ini_options]\n')
    done = run("--safecelery", "-v")
    assert done.returncode == 1
    assert "selekt" in done.stdout
    assert "did you mean 'select'" in done.stdout
    assert "Traceback" not in done.stdout


def test_paths_can_be_named_and_tests_chosen(run: Pytest, room: Path) -> None:
    (room / "shop.py").write_text(BAD)
    (room / "clean").mkdir()
    (room / "clean" / "empty.py").write_text("")
    done = run("--safecelery=clean", "-v", "-m", "safecelery")
    assert done.returncode == 0, done.stdout
    assert "test_own" not in done.stdout
    assert len(outcomes(done)) == 11
