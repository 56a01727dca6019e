"""A value made of files: when it is made anew, what stays when that fails, and who hears of it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safecelery.errors import KeyringError
from safecelery.keys.watched import PACE_S, REMIND_S, RETRY_S, Failed, Loaded, Watched


class Scene:
    """A file with a number in it, a clock that is set by hand, and everything that was told."""

    def __init__(self, path: Path) -> None:
        self.path, self.now, self.loads = path, 1000.0, 0
        self.told: list[Loaded[int] | Failed] = []
        self.also: tuple[Path, ...] = ()
        self.put("1")
        self.approve: Callable[[int, int], None] = lambda before, after: None
        self.watched = Watched(
            "trust", str(path), self.load, lambda value: (self.path, *self.also), self,
            lambda before, after: self.approve(before, after), lambda: self.now,
        )  # fmt: skip

    def loaded(self, event: Loaded[Any]) -> None:
        self.told.append(event)

    def failed(self, event: Failed) -> None:
        self.told.append(event)

    def load(self) -> int:
        self.loads += 1
        try:
            return int(self.path.read_text())
        except OSError as error:
            raise KeyringError(f"cannot be read: {error.strerror}") from None
        except ValueError as error:
            if "boom" in str(error):
                raise
            raise KeyringError("not a number") from None

    def put(self, text: str) -> None:
        new = self.path.with_name("new")
        new.write_text(text)
        new.replace(self.path)

    def after(self, seconds: float) -> int:
        self.now += seconds
        return self.watched.value

    def settle(self) -> None:
        """Past the looks that read once more."""
        self.after(PACE_S)
        self.after(PACE_S)
        self.told.clear()
        self.loads = 0


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "number")


def test_it_is_there_from_the_start_and_what_is_amiss_then_is_raised(tmp_path: Path) -> None:
    assert Scene(tmp_path / "one").watched.value == 1

    def fail() -> int:
        raise KeyringError("no")

    with pytest.raises(KeyringError, match="no"):
        Watched("key", "x", fail, lambda _: (), Scene(tmp_path / "two"))


def test_a_change_is_seen_at_the_first_use_after_a_second_and_told_once(scene: Scene) -> None:
    scene.settle()
    scene.put("2")
    assert scene.after(PACE_S * 0.9) == 1, "no more than one look a second"
    assert scene.after(PACE_S * 0.1) == 2
    for _ in range(5):
        assert scene.after(PACE_S) == 2
    assert scene.told == [Loaded("trust", str(scene.path), 1, 2, mended=False)]


def test_what_does_not_change_is_not_read(scene: Scene) -> None:
    scene.settle()
    for _ in range(100):
        scene.after(PACE_S)
    assert scene.loads == 0


def test_within_the_second_not_even_a_look_is_taken(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.settle()
    monkeypatch.setattr(os, "stat", lambda *_: pytest.fail("looked"))
    for _ in range(1000):
        assert scene.watched.value == 1


def test_after_a_long_pause_the_first_use_sees_the_change(scene: Scene) -> None:
    scene.settle()
    scene.put("2")
    assert scene.after(86_400) == 2


@pytest.mark.parametrize("change", ["in place", "mode", "time", "replaced by its like", "through a link"])
def test_every_kind_of_change_is_noticed(scene: Scene, change: str) -> None:
    if change == "through a link":
        for name in ("..old", "..new"):
            (scene.path.parent / name).mkdir()
            (scene.path.parent / name / "number").write_text("1" if name == "..old" else "2")
        scene.path.unlink()
        (scene.path.parent / "..data").symlink_to("..old")
        scene.path.symlink_to("..data/number")
    scene.settle()
    if change == "in place":
        scene.path.write_text("2")
    elif change == "mode":
        scene.path.chmod(0o664)
    elif change == "time":
        os.utime(scene.path, ns=(0, 0))
    elif change == "replaced by its like":
        before = scene.path.stat()
        scene.put("1")
        os.utime(scene.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    else:  # as the kubelet does it
        (scene.path.parent / "..tmp").symlink_to("..new")
        (scene.path.parent / "..tmp").replace(scene.path.parent / "..data")
    scene.after(PACE_S)
    assert scene.loads == 1
    assert scene.watched.value == (2 if change in ("in place", "through a link") else 1)


def test_a_second_change_that_leaves_no_trace_is_seen_at_the_next_look(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.settle()
    scene.put("2")
    still = scene.path.stat()
    monkeypatch.setattr(os, "stat", lambda *_: still)  # a file system with a coarse clock
    assert scene.after(PACE_S) == 2
    scene.path.write_text("3")
    assert scene.after(PACE_S) == 3


def test_another_file_that_it_stands_on_counts_too(scene: Scene) -> None:
    other = scene.path.with_name("other")
    scene.also = (other,)
    scene.settle()
    other.write_text("now there")
    scene.after(PACE_S)
    assert scene.loads == 1


@pytest.mark.parametrize("fault", ["text", "", None])
def test_what_cannot_be_used_leaves_the_last_good_one_and_is_told(scene: Scene, fault: str | None) -> None:
    scene.settle()
    good_since = scene.watched.good_since
    scene.path.unlink() if fault is None else scene.put(fault)
    assert scene.after(PACE_S) == 1
    assert scene.watched.broken
    (told,) = scene.told
    assert isinstance(told, Failed)
    assert (told.news, told.good_since) == (True, good_since)
    assert told.error == ("cannot be read: No such file or directory" if fault is None else "not a number")
    scene.put("3")
    assert scene.after(PACE_S) == 3
    assert not scene.watched.broken
    assert scene.told[-1] == Loaded("trust", str(scene.path), 1, 3, mended=True)


def test_it_is_told_when_it_is_mended_though_nothing_else_is_different(scene: Scene) -> None:
    scene.settle()
    scene.put("text")
    scene.after(PACE_S)
    scene.put("1")
    scene.after(PACE_S)
    assert scene.told[-1] == Loaded("trust", str(scene.path), 1, 1, mended=True)


def test_an_exception_nobody_thought_of_is_told_by_its_name(scene: Scene) -> None:
    scene.settle()
    scene.put("boom")
    assert scene.after(PACE_S) == 1
    assert isinstance(scene.told[0], Failed)
    assert scene.told[0].error == f"{scene.path}: reading it failed with ValueError"


def test_a_fault_is_news_once_and_again_after_an_hour_or_another_change(scene: Scene) -> None:
    scene.settle()
    scene.put("text")
    for _ in range(int(REMIND_S - 1)):
        scene.after(PACE_S)
    events = [event for event in scene.told if isinstance(event, Failed)]
    assert [event.news for event in events].count(True) == 1
    assert len(events) == pytest.approx(REMIND_S / RETRY_S, rel=0.02), "every attempt is told, to be counted"
    for _ in range(10):
        scene.after(PACE_S)
    assert [event.news for event in scene.told if isinstance(event, Failed)].count(True) == 2
    scene.put("other text")
    scene.after(PACE_S)
    assert [event.news for event in scene.told if isinstance(event, Failed)].count(True) == 3


def test_what_is_mended_elsewhere_is_found_without_a_change_of_the_file(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.settle()
    scene.put("text")
    scene.after(PACE_S)
    still = scene.path.stat()
    monkeypatch.setattr(os, "stat", lambda *_: still)
    scene.after(PACE_S)  # the look that reads once more
    scene.path.write_text("4")
    scene.after(PACE_S)
    assert scene.after(RETRY_S) == 4


def test_a_value_that_is_not_approved_does_not_hold(scene: Scene) -> None:
    scene.settle()

    def approve(before: int, after: int) -> None:
        if after > before + 1:
            raise KeyringError(f"{after} is too much")

    scene.approve = approve
    scene.put("7")
    assert scene.after(PACE_S) == 1
    assert isinstance(scene.told[0], Failed)
    assert scene.told[0].error == "7 is too much"
    scene.put("2")
    assert scene.after(PACE_S) == 2


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # the test runner has threads of its own
def test_a_forked_process_looks_by_itself(scene: Scene) -> None:
    scene.settle()
    child = os.fork()
    if not child:
        scene.put("2")
        os._exit(0 if scene.after(PACE_S) == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert scene.after(PACE_S) == 2


def test_threads_see_one_good_value_or_the_other(scene: Scene) -> None:
    scene.settle()
    seen: set[int] = set()
    stop = threading.Event()

    def use() -> None:
        while not stop.is_set():
            seen.add(scene.watched.value)

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for number in (2, 3, 4):
            scene.put(str(number))
            scene.now += PACE_S
            while scene.watched.value != number:
                scene.now += PACE_S
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert seen <= {1, 2, 3, 4}
    assert not scene.watched.broken
