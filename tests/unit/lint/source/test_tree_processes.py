"""Reading with a second process: the same results, whatever becomes of it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from safecelery.lint.source import SourceTree, collect
from tests.unit.lint.source.source_trees import CountingStages, forked, plain_stages, write

TASK = "from celery import shared_task\n\n\n@shared_task\ndef charge():\n    pass\n"


def gathered(root: Path | str, **options: object) -> SourceTree:
    return collect([str(root)], cache_dir=None, stages=plain_stages(), **options)  # type: ignore[arg-type]


def paths(tree: SourceTree) -> list[str]:
    return [record.path for record in tree.records]


def many(count: int) -> dict[str, str]:
    files = {f"p{number % 7}/m{number:03}.py": TASK if number % 3 else "x = 1\n" for number in range(count)}
    files["p0/jobs.py"] = "from celery import shared_task\ndef job(**o):\n    return shared_task(**o)\n"
    files |= {f"q/u{number}.py": "from p0.jobs import job\n@job()\ndef f(): ...\n" for number in range(40)}
    return files


def results(tree: SourceTree) -> list[object]:
    return [record.to_json() for record in tree.records]


def test_two_processes_find_what_one_finds_in_the_same_order(tmp_path: Path) -> None:
    write(tmp_path, {**many(200), "bad.py": "celery = = 1\n"})
    one = gathered(tmp_path, second=False)
    two = gathered(tmp_path, second=True)
    assert results(one) == results(two)
    assert one.unread == two.unread
    assert len(one.records) == 133 + 40 + 2


def test_a_child_that_dies_costs_nothing_but_time(tmp_path: Path) -> None:
    write(tmp_path, many(120))
    parent = os.getpid()
    stages = plain_stages()
    reduce = stages.ir

    def die_in_child(tree: object, source: str) -> object:
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return reduce(tree, source)  # type: ignore[arg-type]

    stages.ir = die_in_child
    tree = collect([str(tmp_path)], cache_dir=None, stages=stages, second=True)
    assert results(tree) == results(gathered(tmp_path, second=False))


def test_a_child_that_dies_between_the_rounds_costs_nothing_but_time(tmp_path: Path) -> None:
    write(tmp_path, many(120))
    parent = os.getpid()
    stages = plain_stages()
    reduce = stages.ir

    def die_in_second_stage(tree: object, source: str) -> object:
        if os.getpid() != parent and "p0.jobs" in source:
            os._exit(3)
        return reduce(tree, source)  # type: ignore[arg-type]

    stages.ir = die_in_second_stage
    tree = collect([str(tmp_path)], cache_dir=None, stages=stages, second=True)
    assert results(tree) == results(gathered(tmp_path, second=False))


def test_results_that_do_not_fit_into_json_are_made_here(tmp_path: Path) -> None:
    write(tmp_path, many(60))
    stages = plain_stages()
    stages.ir = lambda tree, source: {"body": b"bytes"}
    tree = collect([str(tmp_path)], cache_dir=None, stages=stages, second=True)
    assert len(tree.records) == 40 + 40 + 1
    assert all(record.ir == {"body": b"bytes"} for record in tree.records)


def test_interrupting_leaves_no_child_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children = forked(monkeypatch)
    write(tmp_path, many(120))

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gathered(tmp_path, second=True, progress=interrupt)
    (child,) = children
    with pytest.raises(ChildProcessError):
        os.waitpid(child, os.WNOHANG)


def test_progress_is_told_rarely_and_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, many(200))
    told: list[tuple[int, int]] = []
    gathered(tmp_path, second=False, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (241, 241)
    assert told == sorted(told)
    assert len(told) < 20


def test_nothing_is_parsed_twice(tmp_path: Path) -> None:
    write(tmp_path, many(60))
    stages = CountingStages()
    tree = collect([str(tmp_path)], cache_dir=None, stages=stages, second=False)
    assert stages.count == len(tree.records)
