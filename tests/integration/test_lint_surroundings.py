"""Where the linter runs: closed folders, links in circles, read-only trees, an odd cache, two runs at once."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.lint_process import CLEAN, SHOP, LintedProject


def test_a_closed_folder_or_file_is_2_and_the_rest_is_checked(linted: LintedProject) -> None:
    linted.write({"closed/tasks.py": SHOP, "secret.py": SHOP, "open.py": SHOP})
    for name in ("closed", "secret.py"):
        (linted.directory / name).chmod(0)
    try:
        report = linted.report(anybody=True)
    finally:
        (linted.directory / "closed").chmod(0o755)
    assert sorted(item["path"] for item in report["unread"]) == ["closed", "secret.py"]
    assert all("permission denied" in item["message"].lower() for item in report["unread"])
    assert {item["path"] for item in report["findings"]} == {"open.py"}


def test_links_in_circles_and_out_of_the_tree_are_not_followed(linted: LintedProject) -> None:
    linted.write({"shop/tasks.py": SHOP})
    (linted.directory / "shop" / "again").symlink_to(linted.directory)
    (linted.directory / "self").symlink_to("self")
    (linted.directory / "passwords.py").symlink_to("/etc/passwd")
    (linted.room / "elsewhere").mkdir()
    (linted.room / "elsewhere" / "tasks.py").write_text(SHOP)
    (linted.directory / "out").symlink_to(linted.room / "elsewhere")
    report = linted.report()
    assert {item["path"] for item in report["findings"]} == {"shop/tasks.py"}
    assert report["summary"]["files"] == 1
    assert "out of the tree" in " ".join(report["notes"])


def test_a_pipe_a_socket_or_a_device_is_not_waited_for(linted: LintedProject) -> None:
    linted.write({"tasks.py": CLEAN})
    for name in ("pipe.py", "Dockerfile", "requirements.txt", "pyproject.toml"):
        os.mkfifo(linted.directory / name)
    assert linted.run("lint", "--isolated").returncode == 0
    assert linted.run("lint").returncode in (0, 2)


def test_a_read_only_project_is_checked_and_stays_as_it_is(linted: LintedProject) -> None:
    linted.write({"shop/tasks.py": SHOP})
    for folder in (linted.directory / "shop", linted.directory):
        folder.chmod(0o555)
    try:
        assert "SFC401" in linted.codes(anybody=True)
        refused = linted.run("lint", "--baseline", "known.json", "--update-baseline", anybody=True)
        assert refused.returncode == 2
        assert "known.json: the baseline cannot be written" in refused.stderr
    finally:
        for folder in (linted.directory, linted.directory / "shop"):
            folder.chmod(0o755)
    assert [path.name for path in linted.directory.rglob("*")] == ["shop", "tasks.py"]


def test_a_cache_that_cannot_be_written_is_a_note_and_no_failure(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    expected = linted.codes("--no-cache")
    linted.cache.mkdir(mode=0o500)
    report = linted.report(anybody=True)
    assert [item["code"] for item in report["findings"]] == expected
    assert "cache" in " ".join(report["notes"])
    linted.cache.rmdir()
    linted.cache.write_text("a file")
    assert linted.codes() == expected
    assert linted.codes(XDG_CACHE_HOME="", HOME="/nonexistent/home") == expected


def test_without_a_cache_nothing_is_written_anywhere(linted: LintedProject) -> None:
    linted.write({"tasks.py": SHOP})
    linted.run("lint", "--no-cache")
    assert sorted(path.name for path in linted.room.rglob("*")) == ["project", "tasks.py"]


def test_two_runs_at_once_share_a_cache_and_agree(linted: LintedProject) -> None:
    linted.write({f"shop/tasks{number}.py": SHOP for number in range(40)})
    command = linted.command("lint", "--format", "json-lines")
    for _ in range(2):  # with an empty cache, then with one that both may use
        runs = [
            subprocess.Popen(command, cwd=linted.directory, env=linted.env, text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(3)
        ]  # fmt: skip
        said = [run.communicate(timeout=60) for run in runs]
        assert [run.returncode for run in runs] == [1, 1, 1]
        assert {error for _, error in said} == {""}
        assert len({tuple(out.splitlines()[:-1]) for out, _ in said}) == 1
    assert not list(linted.cache.rglob("*.tmp"))


def kept(project: LintedProject) -> Path:
    """The one file of the cache."""
    (path,) = project.cache.rglob("lint-*.json")
    return path


def _other_rows(file: Path) -> None:
    _, head, rest = file.read_bytes().split(b"\n", 2)
    fields = json.loads(head)
    fields["rows"] = {path: [*row[:4], 0, [], False] for path, row in fields["rows"].items()}
    file.write_bytes(json.dumps(fields).encode() + b"\n" + rest)


def _writable_by_all(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"charge", b"chaRge"))
    file.chmod(0o666)


def _folder_writable_by_all(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b"charge", b"chaRge"))
    file.parent.chmod(0o777)


def _of_somebody_else(file: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root gives files away")
    file.write_bytes(file.read_bytes().replace(b"charge", b"chaRge"))
    os.chown(file, 65534, 65534)


POISONS: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "random bytes": lambda file: file.write_bytes(bytes(range(256)) * 40),
    "not json": lambda file: file.write_bytes(b"{{{\n"),
    "deep": lambda file: file.write_bytes(b"[" * 200_000),
    "cut in its head": lambda file: file.write_bytes(file.read_bytes()[:60]),
    "cut in its rows": lambda file: file.write_bytes(file.read_bytes()[:-200]),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"x"),
    "rows without meaning": lambda file: file.write_bytes(file.read_bytes().replace(b'"body"', b'"b0dy"')),
    "payload of another type": lambda file: file.write_bytes(file.read_bytes().replace(b'{"', b'["', 8)),
    "null payloads": lambda file: file.write_bytes(
        file.read_bytes().partition(b"\n")[0] + b"\n" + b"null".ljust(len(file.read_bytes()))
    ),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "a dangling link": lambda file: (file.unlink(), file.symlink_to("/nonexistent/x")),
    "a link to a device": lambda file: (file.unlink(), file.symlink_to("/dev/zero")),
    "a pipe": lambda file: (file.unlink(), os.mkfifo(file)),
    "file writable by all": _writable_by_all,
    "folder writable by all": _folder_writable_by_all,
    "of somebody else": _of_somebody_else,
}


@pytest.mark.parametrize("poison", POISONS.values(), ids=list(POISONS))
def test_a_cache_that_is_odd_changes_nothing(linted: LintedProject, poison: Callable[[Path], object]) -> None:
    linted.write({"tasks.py": SHOP, "more.py": "from tasks import app\n\n@app.task\ndef more() -> None: ...\n"})
    old = 1_600_000_000  # long ago, so that the files' stamps are believed
    for path in linted.directory.iterdir():
        os.utime(path, (old, old))
    expected = linted.report("--no-cache")["findings"]
    deadline = time.monotonic() + 60
    while True:  # what changed in the last two seconds is not kept
        assert linted.report()["findings"] == expected
        if b'"body"' in kept(linted).read_bytes():
            break
        assert time.monotonic() < deadline
    poison(kept(linted))
    for result in linted.cache.rglob("result-*"):
        result.unlink()
    for _ in range(2):
        assert linted.report()["findings"] == expected
