"""What is in the wheel: the policies, the type marker, the metadata; and nothing that belongs to the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = target.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    return message_from_string(wheel.read(name).decode())


def test_every_policy_and_rule_page_is_shipped(wheel: zipfile.ZipFile) -> None:
    here = {path.relative_to(ROOT / "policies").as_posix() for path in (ROOT / "policies").rglob("*") if path.is_file()}
    shipped = "safecelery/policy/_shipped/"
    assert {name.removeprefix(shipped) for name in wheel.namelist() if name.startswith(shipped)} == here
    assert {"baseline.toml", "strict.toml", "migration.toml"} <= here


def test_every_module_and_the_type_marker_are_shipped(wheel: zipfile.ZipFile) -> None:
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "safecelery").rglob("*.py")}
    assert sources | {"safecelery/py.typed"} <= set(wheel.namelist())


def test_every_file_that_code_reads_is_shipped(wheel: zipfile.ZipFile) -> None:
    """The HTML report's style and script, the templates of a new service: whatever lies beside the code in the tree."""
    data = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "safecelery").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert {"safecelery/lint/report/assets/page.css", "safecelery/cli/init/skeleton/tasks.py.tmpl"} <= data
    assert data <= set(wheel.namelist())


def test_the_linter_works_from_the_wheel_alone(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """Rules, pages and the HTML report, with nothing of the checkout on the path."""
    wheel.extractall(tmp_path / "site")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "tasks.py").write_text(
        "from celery import Celery\napp = Celery('x')\n@app.task\ndef t(): ...\n"
    )
    site = [path for path in sys.path if path.endswith("-packages")]
    start = f"import sys; sys.path[:0] = {[str(tmp_path / 'site')]!r}; sys.path += {site!r}"
    for words in (["lint", "--no-cache", "--format", "html"], ["lint", "--explain", "SFC401"]):
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", f"{start}; from safecelery.cli.main import main; main()", *words],
            cwd=tmp_path / "shop", capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == ("html" in words), done.stderr
        assert "SFC401" in done.stdout


def test_no_file_is_shipped_twice(wheel: zipfile.ZipFile) -> None:
    assert len(wheel.namelist()) == len(set(wheel.namelist()))


def test_nothing_of_the_checkout_leaks_into_site_packages(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert sorted(top for top in tops if not top.endswith(".dist-info")) == ["safecelery"]
    assert [name for name in wheel.namelist() if "__pycache__" in name] == []


def test_the_metadata_says_what_it_is(metadata: Message) -> None:
    classifiers = metadata.get_all("Classifier", [])
    assert "Framework :: Celery" in classifiers
    assert {f"Programming Language :: Python :: {version}" for version in ("3.11", "3.12", "3.13")} <= set(classifiers)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["Requires-Python"] == ">=3.11"


def test_the_runtime_needs_no_more_than_was_decided(metadata: Message) -> None:
    needs = [need for need in metadata.get_all("Requires-Dist", []) if "extra ==" not in need]
    names = {need.split("[")[0].split("<")[0].split(">")[0].split("=")[0].strip() for need in needs}
    assert names == {"celery", "kombu", "cryptography", "pydantic", "pydantic-settings", "redis", "click"}


def test_both_ways_to_the_command_line_are_there(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt")]
    text = wheel.read(name).decode()
    assert "[console_scripts]\nsafecelery = " in text
    assert "[celery.commands]\nsafecelery = " in text
