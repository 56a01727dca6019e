"""What is remembered between runs, and when it is not believed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from safecelery.lint.source import DEFAULT_CACHE, SourceTree, collect
from safecelery.lint.source import cache as cache_module
from safecelery.lint.source.folder import read_own, write_own
from tests.unit.lint.source.source_trees import CountingStages, run_as_if_old, write

TASK = "from celery import shared_task\n\n\n@shared_task\ndef charge():\n    pass\n"
FILES = {"a/tasks.py": TASK, "a/limits.py": "def soft(): ...\n", "b.py": "x = 1\n", "bad.py": "celery = = 1\n"}


@pytest.fixture(autouse=True)
def _old_files(monkeypatch: pytest.MonkeyPatch) -> None:
    run_as_if_old(monkeypatch)


def run(root: Path, folder: Path, **options: Any) -> tuple[SourceTree, int]:
    """The tree, saved, and how many modules were parsed for it."""
    stages = CountingStages()
    tree = collect([str(root)], cache_dir=str(folder), stages=stages, second=False, **options)
    for record in tree.records:
        assert record.ir is not None
    tree.save()
    return tree, stages.count


def the_file(folder: Path) -> Path:
    (path,) = folder.glob("lint-*.json")
    return path


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    return write(tmp_path / "tree", FILES), tmp_path / "cache"


def test_a_second_run_parses_nothing_and_says_the_same(trees: tuple[Path, Path]) -> None:
    first, parsed = run(*trees)
    assert parsed == 2
    second, parsed = run(*trees)
    assert parsed == 0
    assert [record.to_json() for record in second.records] == [record.to_json() for record in first.records]
    assert second.unread == first.unread != []
    assert second.files == first.files == 4


def test_files_read_on_demand_are_remembered_but_do_not_match(trees: tuple[Path, Path]) -> None:
    root, folder = trees
    for expected in (3, 0, 0):
        stages = CountingStages()
        tree = collect([str(root)], cache_dir=str(folder), stages=stages, second=False)
        record = tree.load("a/limits.py")
        assert record is not None
        assert record.ir == {"body": ["soft"]}
        assert [each.path for each in tree.records] == ["a/tasks.py", "bad.py"]
        tree.save()
        assert stages.count == expected


def test_only_what_changed_is_parsed_again(trees: tuple[Path, Path]) -> None:
    root, folder = trees
    run(root, folder)
    (root / "b.py").write_text("from celery import Celery\ndef new(): ...\n")
    tree, parsed = run(root, folder)
    assert parsed == 1
    assert [record.path for record in tree.records] == ["a/tasks.py", "b.py", "bad.py"]
    (root / "b.py").write_text("x = 2\n")
    tree, parsed = run(root, folder)
    assert parsed == 0
    assert [record.path for record in tree.records] == ["a/tasks.py", "bad.py"]


def test_same_size_and_modification_time_do_not_hide_a_change(trees: tuple[Path, Path]) -> None:
    root, folder = trees
    path = root / "a/tasks.py"
    run(root, folder)
    times = path.stat()
    path.write_text(TASK.replace("charge", "refund"))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    tree, parsed = run(root, folder)
    assert parsed == 1
    assert tree.records[0].ir == {"body": ["refund"]}


def test_a_file_changed_a_moment_ago_is_not_remembered(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "_RACE_NS", 2_000_000_000)
    run(*trees)
    assert run(*trees)[1] == 2


def test_vanished_files_are_forgotten(trees: tuple[Path, Path]) -> None:
    root, folder = trees
    run(root, folder)
    (root / "a/tasks.py").unlink()
    (root / "b.py").unlink()
    tree, parsed = run(root, folder)
    assert parsed == 0
    assert [record.path for record in tree.records] == ["bad.py"]
    rows = json.loads(read_own(str(the_file(folder))).partition(b"\n")[0])["rows"]
    assert {Path(path).name for path in rows} == {"limits.py", "bad.py"}


def test_a_new_wrapper_makes_remembered_files_match(trees: tuple[Path, Path]) -> None:
    root, folder = trees
    write(root, {"jobs.py": "x = 1\n", "uses.py": "from jobs import job\n@job()\ndef f(): ...\n"})
    run(root, folder)
    (root / "jobs.py").write_text("from celery import shared_task\ndef job(**o):\n    return shared_task(**o)\n")
    tree, parsed = run(root, folder)
    assert parsed == 2
    assert "uses.py" in [record.path for record in tree.records]
    assert run(root, folder)[1] == 0
    (root / "uses.py").write_text("from jobs import job\n@job()\ndef g(): ...\n")
    tree, parsed = run(root, folder)
    assert parsed == 1
    assert "uses.py" in [record.path for record in tree.records]


@pytest.mark.parametrize("versions", ["safecelery", "ir", "stages"])
def test_another_version_of_anything_parses_afresh(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, versions: str
) -> None:
    from safecelery.lint.source import stages

    run(*trees)
    if versions == "safecelery":
        monkeypatch.setattr(stages, "__version__", "0.0.0")
    elif versions == "ir":
        monkeypatch.setattr("safecelery.lint.ir.IR_VERSION", -1)
    else:
        monkeypatch.setitem(stages.TEXT_STAGES, "comments", "other:stage")
    assert run(*trees)[1] == 2


def spoiled(head: dict[str, Any], texts: bytes) -> dict[str, bytes]:
    def with_head(**changes: Any) -> bytes:
        return json.dumps({**head, **changes}).encode() + b"\n" + texts

    rows = head["rows"]
    path = next(path for path, row in rows.items() if len(row) > 4)
    whole = with_head()
    return {
        "empty": b"",
        "not JSON": b"\xff\xfe\0",
        "a list": b"[]\n",
        "deep": b"[" * 100_000,
        "cut off": whole[:-10],
        "longer": whole + b"x",
        "payload is no JSON": with_head()[: -len(texts)] + b"x" * (len(texts) - 1) + b"\n",
        "payload of another form": with_head(lengths=[2, 2])[: -len(texts)] + b"{}\n[]\n",
        "another schema": with_head(schema=99),
        "another tree": with_head(key="other"),
        "rows are a list": with_head(rows=[]),
        "row is text": with_head(rows={**rows, path: "x"}),
        "row too long": with_head(rows={**rows, path: [*rows[path], 1]}),
        "number too large": with_head(rows={**rows, path: [*rows[path][:4], 99, [], False]}),
        "number negative": with_head(rows={**rows, path: [*rows[path][:4], -1, [], False]}),
        "unread of another form": with_head(rows={**rows, path: [*rows[path][:5], [["x", 1]], False]}),
        "known of another form": with_head(known={"a": "b"}),
        "lengths of another form": with_head(lengths=["x"]),
    }


def test_an_odd_cache_is_never_believed_and_never_in_the_way(trees: tuple[Path, Path]) -> None:
    root, folder = trees
    good, _ = run(root, folder)
    expected = [record.to_json() for record in good.records]
    head, _, texts = read_own(str(the_file(folder))).partition(b"\n")
    for name, data in spoiled(json.loads(head), texts).items():
        write_own(str(the_file(folder)), (data,))
        tree, parsed = run(root, folder)
        assert parsed >= 1, name
        assert [record.to_json() for record in tree.records] == expected, name
        assert tree.unread == good.unread, name
        assert run(root, folder)[1] == 0, name


def test_a_damaged_byte_is_noticed(trees: tuple[Path, Path]) -> None:
    root, folder = trees
    good, _ = run(root, folder)
    whole = the_file(folder).read_bytes()
    for at in (0, 7, len(whole) // 2, len(whole) - 2):
        the_file(folder).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        tree, parsed = run(root, folder)
        assert parsed >= 1
        assert [record.to_json() for record in tree.records] == [record.to_json() for record in good.records]


def test_a_cache_others_may_write_to_is_not_used(trees: tuple[Path, Path]) -> None:
    root, folder = trees
    run(root, folder)
    folder.chmod(0o777)
    tree, parsed = run(root, folder)
    assert parsed == 2
    assert "others may write" in tree.notes[0]
    folder.chmod(0o700)
    the_file(folder).chmod(0o666)
    assert run(root, folder)[1] == 2


def test_a_link_or_a_file_instead_of_the_folder_is_not_used(trees: tuple[Path, Path], tmp_path: Path) -> None:
    root, folder = trees
    (tmp_path / "real").mkdir(mode=0o700)
    folder.symlink_to(tmp_path / "real")
    assert "not a folder" in run(root, folder)[0].notes[0]
    (tmp_path / "file").write_text("")
    assert "not a folder" in run(root, tmp_path / "file")[0].notes[0]
    assert "cannot be made" in run(root, tmp_path / "no/such/parent")[0].notes[0]


def test_the_default_is_private_and_in_the_users_cache_folder(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    stages = CountingStages()
    collect([str(trees[0])], cache_dir=DEFAULT_CACHE, stages=stages, second=False).save()
    folder = tmp_path / "xdg/safecelery"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert the_file(folder).stat().st_mode & 0o777 == 0o600
    assert (folder / ".gitignore").read_text() == "*\n"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    collect([str(trees[0])], cache_dir=DEFAULT_CACHE, stages=stages, second=False).save()
    assert the_file(tmp_path / "home/.cache/safecelery").exists()


def test_different_options_have_caches_of_their_own(trees: tuple[Path, Path]) -> None:
    root, folder = trees
    run(root, folder)
    assert run(root, folder, exclude=["b.py"])[1] == 2
    assert run(root, folder)[1] == 0
    assert run(root, folder, exclude=["b.py"])[1] == 0


def test_a_run_without_changes_writes_nothing(trees: tuple[Path, Path]) -> None:
    root, folder = trees
    run(root, folder)
    before = the_file(folder).stat()
    run(root, folder)
    assert the_file(folder).stat().st_mtime_ns == before.st_mtime_ns
    assert the_file(folder).stat().st_ino == before.st_ino


def test_caches_no_run_wrote_for_a_month_are_deleted(trees: tuple[Path, Path]) -> None:
    root, folder = trees
    run(root, folder)
    stale = folder / "lint-0123.json"
    stale.write_text("{}")
    os.utime(stale, (1_500_000_000, 1_500_000_000))
    (root / "b.py").write_text("x = 3\n")
    run(root, folder)
    assert not stale.exists()


def test_two_processes_fill_the_cache_as_one_does(tmp_path: Path) -> None:
    root = write(tmp_path / "tree", {f"m{number}.py": TASK for number in range(80)} | FILES)
    stages = CountingStages()
    collect([str(root)], cache_dir=str(tmp_path / "cache"), stages=stages, second=True).save()
    assert run(root, tmp_path / "cache")[1] == 0
