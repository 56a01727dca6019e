"""New keys, their trust entries, and the file they are kept in."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from safecelery.errors import KeyringError
from safecelery.keys.generate import generate_key, trust_entry, write_private
from safecelery.keys.private import parse_private, render_private
from safecelery.keys.schemes import SCHEMES
from safecelery.keys.sources import load_private
from safecelery.keys.trust import TrustStore
from tests.unit.keys.key_builders import NOW, T, a_private


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_new_key_signs_what_its_trust_entry_verifies(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = generate_key("web", scheme=scheme, lifetime=timedelta(days=2), now=NOW)
    monkeypatch.setenv("SHARED", render_private(key))
    text = trust_entry(key, send=["shop.*"], queues=["orders"], control=["ping"], secret_reference="env:SHARED")
    trusted = TrustStore.parse(text, "new").lookup(key.kid)
    assert trusted is not None
    trusted.verifier.verify(key.sign(b"data"), b"data")
    assert (trusted.not_before, trusted.expires) == (T, T + 2 * 86_400)
    assert (trusted.send, trusted.queues, trusted.control) == (("shop.*",), ("orders",), ("ping",))
    assert ("SHARED" in text) == SCHEMES[scheme].symmetric
    assert render_private(key).splitlines()[-1] not in text


def test_two_new_keys_differ() -> None:
    assert generate_key("web").kid != generate_key("web").kid


def test_a_new_key_lives_from_now_for_a_year() -> None:
    key = generate_key("web")
    assert key.scheme == "ed25519"
    assert key.expires - key.created == timedelta(days=365)
    assert key.created.microsecond == 0


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(seconds=-1)])
def test_a_lifetime_must_be_positive(lifetime: timedelta) -> None:
    with pytest.raises(KeyringError, match="positive"):
        generate_key("web", lifetime=lifetime)


def test_a_lifetime_must_end() -> None:
    with pytest.raises(KeyringError, match="year 10000"):
        generate_key("web", lifetime=timedelta.max)


@pytest.mark.parametrize("how", [{"owner": "Web"}, {"owner": "web", "scheme": "rsa"}])
def test_a_key_needs_an_owner_and_a_scheme(how: dict[str, Any]) -> None:
    with pytest.raises(KeyringError):
        generate_key(**how)


def test_a_symmetric_keys_entry_says_where_the_secret_is() -> None:
    key = a_private(scheme="hmac-sha256")
    with pytest.raises(KeyringError, match="symmetric"):
        trust_entry(key)


@pytest.mark.parametrize("text", ['a"', "a\\", "a\n", "", 'x"]\nqueues = ["*', "\x00"])
def test_no_text_becomes_other_toml(text: str) -> None:
    with pytest.raises(KeyringError, match="printable"):
        trust_entry(a_private(), send=[text])
    with pytest.raises(KeyringError, match="printable"):
        trust_entry(a_private(scheme="hmac-sha256"), secret_reference=text)


@pytest.mark.parametrize("umask", [0, 0o022, 0o077, 0o177, 0o777])
def test_a_key_file_has_mode_0600_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "web.key"
    before = os.umask(umask)
    try:
        write_private(path, a_private())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_private(f"file:{path}") == a_private()


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "web.key"
    write_private(path, a_private())
    with pytest.raises(KeyringError, match="never overwritten"):
        write_private(path, a_private("batch"))
    assert parse_private(path.read_text(), "file").owner == "web"


def test_a_link_is_not_followed_when_writing(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "web.key", tmp_path / "elsewhere"
    path.symlink_to(elsewhere)
    with pytest.raises(KeyringError, match="exists"):
        write_private(path, a_private())
    assert not elsewhere.exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyringError, match="No such file or directory"):
        write_private(tmp_path / "missing" / "web.key", a_private())


@pytest.mark.parametrize(
    ("failure", "seen"),
    [(OSError(28, "No space left on device"), KeyringError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_failure_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: BaseException, seen: type[BaseException]
) -> None:
    def fail(_: int) -> None:
        raise failure

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(seen):
        write_private(tmp_path / "web.key", a_private())
    assert list(tmp_path.iterdir()) == []
