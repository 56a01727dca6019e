"""What users' code looks like to a type checker: right code passes, and each marked line of wrong code does not."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")
HERE = Path(__file__).parent
MARK = re.compile(r"# refused: (?P<code>[a-z-]+)")


def errors(path: Path, cache: Path) -> set[tuple[int, str]]:
    """Line and code of every error that mypy --strict reports in the file."""
    answer = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(cache), str(path)],
        capture_output=True,
        text=True,
        cwd=HERE.parent.parent,
        check=False,
    )
    found = re.findall(rf"{re.escape(path.name)}:(\d+): error: .*\[([a-z-]+)\]$", answer.stdout, re.MULTILINE)
    assert answer.returncode in (0, 1), answer.stdout + answer.stderr
    return {(int(line), code) for line, code in found}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy")


def test_right_user_code_type_checks(cache: Path) -> None:
    assert errors(HERE / "api.py", cache) == set()


@pytest.mark.parametrize("path", sorted(HERE.glob("must_fail_*.py")), ids=lambda path: path.stem)
def test_each_marked_line_of_wrong_code_is_an_error_and_no_other(path: Path, cache: Path) -> None:
    expected = {
        (number, mark["code"])
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if (mark := MARK.search(line))
    }
    assert expected
    assert errors(path, cache) == expected
