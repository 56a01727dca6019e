"""Several keys in a directory: which one signs, and what is refused there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from safecelery.errors import KeyringError
from safecelery.keys.private import PrivateKey, key_in_use, render_private
from safecelery.keys.sources import load_private, load_privates, read_secret_text
from tests.unit.keys.key_builders import NOW, T, a_private, keys_in

DOCUMENT = render_private(a_private())


def three() -> list[PrivateKey]:
    """Keys whose time begins one day after the other."""
    return [
        a_private(secret=bytes([n]) * 32, created=NOW + timedelta(days=n), expires=NOW + timedelta(days=n + 2))
        for n in range(3)
    ]


@pytest.mark.parametrize(("days", "used"), [(-1, 0), (0, 0), (0.99, 0), (1, 1), (2.5, 2), (3.9, 2), (4, 2), (99, 2)])
def test_of_several_keys_the_newest_whose_time_has_begun_is_used(days: float, used: int) -> None:
    keys = three()
    assert key_in_use(keys, T + days * 86_400) == keys[used]
    assert key_in_use(keys[::-1], T + days * 86_400) == keys[used]


def test_between_two_keys_the_next_one_is_named() -> None:
    first, _, last = three()
    later = a_private(secret=bytes([7]) * 32, created=NOW + timedelta(days=9), expires=NOW + timedelta(days=10))
    assert key_in_use([first, last, later], T + 5 * 86_400) == later


def test_a_directory_holds_several_keys_of_one_owner(tmp_path: Path) -> None:
    directory = keys_in(tmp_path / "keys", **{f"{key.kid}.key": render_private(key) for key in three()})
    assert sorted(key.kid for key in load_privates(f"directory:{directory}")) == sorted(key.kid for key in three())
    with pytest.raises(KeyringError, match="3 private keys, where one is wanted"):
        read_secret_text(f"directory:{directory}")
    keys_in(directory, other=render_private(a_private("other")))
    with pytest.raises(KeyringError, match=r"several owners \(other, web\)"):
        load_privates(f"directory:{directory}")


def test_each_file_of_a_directory_is_judged_and_none_left_out(tmp_path: Path) -> None:
    directory = keys_in(tmp_path / "keys", **{"a.key": DOCUMENT, "b.key": DOCUMENT})
    (directory / "b.key").chmod(0o644)
    with pytest.raises(KeyringError, match=r"b\.key: mode 0644"):
        load_privates(f"directory:{directory}")
    (directory / "b.key").unlink()
    (directory / "deep").mkdir()
    with pytest.raises(KeyringError, match="deep: not a regular file"):
        load_privates(f"directory:{directory}")
    (directory / "deep").rmdir()
    keys_in(directory, notes="nothing that signs")
    with pytest.raises(KeyringError, match="notes"):
        load_privates(f"directory:{directory}")


def test_a_directory_as_kubernetes_mounts_it(tmp_path: Path) -> None:
    directory = keys_in(tmp_path / "keys")
    keys_in(directory / "..2027_01_15", **{"web.key": DOCUMENT})
    (directory / "..data").symlink_to("..2027_01_15")
    (directory / "web.key").symlink_to("..data/web.key")
    assert load_private(f"directory:{directory}") == a_private()
    directory.chmod(0o1777)  # as the kubelet makes it; the files in it are judged one by one
    assert load_private(f"directory:{directory}") == a_private()


def test_a_directory_that_others_may_write_to_or_that_is_none_or_full_is_refused(tmp_path: Path) -> None:
    directory = keys_in(tmp_path / "keys", **{"web.key": DOCUMENT})
    directory.chmod(0o770)
    with pytest.raises(KeyringError, match="mode 0770 lets others put keys there"):
        load_private(f"directory:{directory}")
    with pytest.raises(KeyringError, match="directory is empty"):
        load_private(f"directory:{keys_in(tmp_path / 'empty')}")
    with pytest.raises(KeyringError, match="Not a directory"):
        load_private(f"directory:{directory / 'web.key'}")
    crowd = keys_in(tmp_path / "crowd", **{str(n): DOCUMENT for n in range(65)})
    with pytest.raises(KeyringError, match="more than 64 files"):
        load_private(f"directory:{crowd}")
