"""A state file is private and replaced whole; whatever else lies in its place is refused and stays as it is."""

from __future__ import annotations

import json
import os
import pickle
import shelve
import socket
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import StateFileError
from safecelery.stores.state_file import StateFile

CONTENT = {"entries": {"a": 1, "b": [1.5, "x\ud800"]}}


@pytest.fixture
def file(tmp_path: Path) -> StateFile:
    return StateFile(tmp_path / "state", "test-state", 4096)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_was_written_is_read_again(file: StateFile) -> None:
    assert file.read() is None
    file.write(CONTENT)
    file.write(CONTENT | {"more": True})
    assert file.read() == {"safecelery": "test-state", "version": 1, **CONTENT, "more": True}


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o177])
def test_only_its_owner_may_read_it_whatever_the_umask(file: StateFile, mask: int) -> None:
    before = os.umask(mask)
    try:
        file.hold()
        file.write(CONTENT)
    finally:
        os.umask(before)
        file.release()
    assert mode_of(file.path) == 0o600
    assert mode_of(file.path.with_name("state.lock")) & 0o077 == 0
    assert sorted(path.name for path in file.path.parent.iterdir()) == ["state", "state.lock"]


class Bomb:
    """Unpickled, it makes a directory."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> object:
        return os.mkdir, (str(self.witness),)


def _link(path: Path) -> None:
    path.with_name("target").write_text('{"safecelery": "test-state", "version": 1}')
    path.with_name("target").chmod(0o600)
    path.symlink_to("target")


def _socket(path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # the path of a socket has at most 107 bytes
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(path.name)
    finally:
        os.chdir(before)


def _text(content: str | bytes, mode: int = 0o600) -> Callable[[Path], None]:
    def place(path: Path) -> None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)

    return place


GOOD = '{"safecelery": "test-state", "version": 1}'
AMISS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a link": (_link, "symbolic link"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), "symbolic link"),
    "a pipe": (os.mkfifo, "no regular file"),
    "a directory": (Path.mkdir, "no regular file"),
    "a socket": (_socket, "cannot be opened"),
    "others may read it": (_text(GOOD, 0o644), "mode 0644"),
    "the group may write it": (_text(GOOD, 0o620), "mode 0620"),
    "too large": (_text(GOOD + " " * 5000), "larger than 4096 bytes"),
    "empty": (_text(""), "no state file of safecelery"),
    "a pickle": (_text(pickle.dumps({"entries": {}})), "no state file of safecelery"),
    "JSON of somebody else": (_text('{"entries": {}}'), "no state file of safecelery"),
    "another kind": (_text('{"safecelery": "beat-schedule", "version": 1}'), "something else than test-state"),
    "cut off": (_text(GOOD[:-5]), "broken"),
    "not UTF-8": (_text(GOOD[:-1].encode() + b', "x": "\xff"}'), "broken"),
    "deep": (_text(GOOD[:-1] + ', "x": ' + "[" * 4000), "broken"),
    "no version": (_text('{"safecelery": "test-state"}'), "version None"),
    "a later version": (_text('{"safecelery": "test-state", "version": 2}'), "version 2"),
    "a version that is true": (_text('{"safecelery": "test-state", "version": true}'), "version True"),
    "two kinds": (_text(GOOD[:-1] + ', "safecelery": ["test-state"]}'), "something else"),
}


@pytest.mark.parametrize(("place", "said"), AMISS.values(), ids=AMISS)
def test_anything_else_in_its_place_is_refused_and_kept(
    file: StateFile, place: Callable[[Path], None], said: str
) -> None:
    place(file.path)
    before = file.path.lstat()
    with pytest.raises(StateFileError, match=said) as refused:
        file.read()
    assert str(file.path) in str(refused.value)
    assert "; fix: " in str(refused.value)
    after = file.path.lstat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)


def test_a_file_of_somebody_else_is_refused(file: StateFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write(CONTENT)
    own = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    with pytest.raises(StateFileError, match=f"belongs to user {own}, this process runs as {own + 1}"):
        file.read()
    file.path.with_name("state.lock").touch(0o600)
    with pytest.raises(StateFileError, match=r"state\.lock belongs to user"):
        file.hold()


@pytest.mark.parametrize("suffix", ["", ".db"])
def test_a_shelf_is_named_and_not_opened(file: StateFile, suffix: str) -> None:
    witness = file.path.with_name("witness")
    with shelve.open(str(file.path)) as shelf:
        shelf["entries"] = Bomb(witness)
    for path in list(file.path.parent.iterdir()):
        path.rename(file.path.with_name("state" + suffix))
    assert file.shelves() == [file.path.with_name("state" + suffix)]
    if not suffix:
        with pytest.raises(StateFileError):
            file.read()
    else:
        assert file.read() is None
    assert not witness.exists()


def test_another_process_cannot_use_it_until_this_one_ends(file: StateFile) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom safecelery.stores.state_file import StateFile\n"
        "StateFile(Path(sys.argv[1]), 'test-state', 4096).hold()\nprint('held', flush=True)\nsys.stdin.read()\n"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code, str(file.path)], env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(StateFileError, match="another process is using it"):
            file.hold()
        other.kill()
    file.hold()
    file.hold()
    file.release()


@pytest.mark.parametrize("place", [os.mkfifo, lambda path: path.symlink_to("elsewhere"), Path.mkdir])
def test_a_lock_that_is_no_file_is_refused(file: StateFile, place: Callable[[Path], None]) -> None:
    place(file.path.with_name("state.lock"))
    with pytest.raises(StateFileError, match=r"state\.lock"):
        file.hold()
    assert not file.path.with_name("elsewhere").exists()


def test_a_writer_that_dies_halfway_leaves_the_last_file(file: StateFile, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write(CONTENT)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            file.write({"entries": {}})
    assert file.path.with_name(".state.tmp").exists()
    assert (file.read() or {})["entries"] == CONTENT["entries"]
    file.write({"entries": {}})
    assert (file.read() or {})["entries"] == {}
    assert not file.path.with_name(".state.tmp").exists()


def test_a_link_in_place_of_the_new_file_is_not_followed(file: StateFile) -> None:
    victim = file.path.with_name("victim")
    victim.write_text("mine")
    file.path.with_name(".state.tmp").symlink_to(victim)
    file.write(CONTENT)
    assert victim.read_text() == "mine"
    assert not file.path.is_symlink()


def test_what_could_not_be_read_again_is_not_written(file: StateFile) -> None:
    with pytest.raises(StateFileError, match="more than the 4096"):
        file.write({"entries": "x" * 5000})
    assert not file.path.exists()


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "missing" / "state", "test-state", 4096)
    with pytest.raises(StateFileError, match=r"cannot be opened \(No such file or directory\)"):
        file.hold()
    with pytest.raises(StateFileError, match=r"cannot be written \(No such file or directory\)"):
        file.write({})


@given(st.data())
def test_garbage_is_refused_and_never_another_exception(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    whole = json.dumps({"safecelery": "test-state", "version": 1, **CONTENT}).encode()
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(whole)), st.integers(0, len(whole)))))
    given_bytes = whole[:start] + data.draw(st.binary(max_size=12)) + whole[end:]
    path = tmp_path_factory.mktemp("garbage") / "state"
    path.write_bytes(given_bytes)
    path.chmod(0o600)
    try:
        read = StateFile(path, "test-state", 4096).read()
    except StateFileError:
        return
    assert read is not None
    assert (read["safecelery"], read["version"]) == ("test-state", 1)
