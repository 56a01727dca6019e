"""The ring of a running process: what it signs with and believes while files change under it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from safecelery.errors import KeyringError, SealError
from safecelery.keys.generate import generate_key, trust_entry, write_private
from safecelery.keys.live import LiveKeyring
from safecelery.keys.private import PrivateKey
from safecelery.keys.ring import EARLY_S, Keyring
from safecelery.keys.trust import TrustStore
from safecelery.keys.watched import PACE_S, RETRY_S, Failed, Loaded
from tests.unit.keys.key_builders import T, a_private, an_entry


class Files:
    """A directory of keys, a trust file, a clock, and a ring over them."""

    def __init__(self, directory: Path) -> None:
        self.now, self.told = 0.0, list[Any]()
        self.keys, self.trust = directory / "keys", directory / "trust.toml"
        self.keys.mkdir(mode=0o700)
        self.add(now=datetime.now(UTC) - timedelta(hours=1))
        self.believe()
        self.ring = LiveKeyring(f"directory:{self.keys}", self.trust, self, clock=lambda: self.now)

    loaded = failed = lambda self, event: self.told.append(event)

    def add(self, *, scheme: str = "ed25519", **when: Any) -> PrivateKey:
        key = generate_key("web", scheme=scheme, **when)
        write_private(self.keys / f"{key.kid}.key", key)
        self.last = key
        return key

    def believe(self, *entries: str) -> None:
        new = self.trust.with_name("new")
        new.write_text("\n".join(entries or [an_entry()]))
        new.chmod(0o644)
        new.replace(self.trust)

    def later(self, seconds: float = PACE_S) -> LiveKeyring:
        self.now += seconds
        return self.ring


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_changed_trust_file_holds_from_the_next_look_on(files: Files) -> None:
    (kid,) = files.ring.trust.keys
    files.believe(an_entry(revoked="true"))
    assert not files.ring.trust.keys[kid].revoked
    assert files.later().trust.keys[kid].revoked
    files.believe()
    assert not files.later().trust.keys[kid].revoked
    assert [type(event) for event in files.told] == [Loaded, Loaded]


@pytest.mark.parametrize("fault", ["[keys]\n", "not toml", an_entry(send='["a?"]'), "mode", "gone"])
def test_a_trust_file_that_cannot_be_used_leaves_the_last_good_one(files: Files, fault: str) -> None:
    if fault == "mode":
        files.trust.chmod(0o664)
    elif fault == "gone":
        files.trust.unlink()
    else:
        files.believe(fault)
    assert list(files.later().trust.keys) == [a_private().kid]
    assert [event.what for event in files.told if isinstance(event, Failed)] == ["trust"]
    assert str(files.trust) in files.told[0].error
    files.believe(an_entry(revoked="true"))
    assert files.later().trust.keys[a_private().kid].revoked


def test_a_new_private_key_signs_when_its_time_has_come(files: Files) -> None:
    old = files.last
    assert files.ring.active == old
    ahead = files.add(now=datetime.now(UTC) + timedelta(days=1))
    assert files.later().active == old
    assert {key.kid for key in files.ring.privates} == {old.kid, ahead.kid}
    new = files.add(now=datetime.now(UTC) - timedelta(seconds=2))
    assert files.later().active == new
    assert files.ring.signer(datetime.now(UTC).timestamp()) == new


def test_a_key_begins_and_ends_while_nothing_is_read(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    start = files.last.created.timestamp()
    old, new = files.last, files.add(now=files.last.created + timedelta(days=2), lifetime=timedelta(days=1))
    ring = files.later()
    monkeypatch.setattr(Path, "read_text", lambda *_: pytest.fail("read"))
    for days, key in ((0, old), (1.9, old), (2, new), (2.9, new), (3, old), (400, old)):
        monkeypatch.setattr(time, "time", lambda days=days: start + days * 86_400)
        assert (days, ring.active) == (days, key)


def test_the_last_good_private_key_signs_on_while_its_file_is_gone(files: Files) -> None:
    path = files.keys / f"{files.last.kid}.key"
    path.rename(path.with_name(".away"))
    assert files.later().active == files.last
    assert files.told[-1].what == "key"
    assert "directory is empty" in files.told[-1].error


def test_an_approver_has_the_last_word_on_a_store(files: Files) -> None:
    def never(before: TrustStore, after: TrustStore) -> None:
        raise KeyringError("not this one")

    files.ring.approve = never
    files.believe(an_entry(revoked="true"))
    assert not files.later().trust.keys[a_private().kid].revoked
    assert files.told[-1].error == "not this one"


def test_a_secret_that_the_trust_file_refers_to_is_followed_too(files: Files, tmp_path: Path) -> None:
    secret = tmp_path / "bus.key"
    bus = generate_key("bus", scheme="hmac-sha256")
    write_private(secret, bus)
    files.believe(trust_entry(bus, send=["*"], queues=["*"], secret_reference=f"file:{secret}"))
    assert list(files.later().trust.keys) == [bus.kid]
    assert files.ring.trust.files == (secret,)
    files.later()
    other = generate_key("bus", scheme="hmac-sha256")
    secret.unlink()
    write_private(secret, other)
    assert list(files.later().trust.keys) == [bus.kid], "this entry is not the other secret's"
    assert files.told[-1].what == "trust"
    files.believe(trust_entry(other, send=["*"], queues=["*"], secret_reference=f"file:{secret}"))
    assert list(files.later().trust.keys) == [other.kid]


def test_a_secret_that_comes_after_the_trust_file_mends_it(files: Files, tmp_path: Path) -> None:
    secret = tmp_path / "bus.key"
    bus = generate_key("bus", scheme="hmac-sha256")
    files.believe(trust_entry(bus, send=["*"], queues=["*"], secret_reference=f"file:{secret}"))
    assert list(files.later().trust.keys) == [a_private().kid]
    files.later()
    write_private(secret, bus)
    assert list(files.later(RETRY_S).trust.keys) == [bus.kid]


def test_paths_hold_in_another_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(tmp_path)
    monkeypatch.chdir(tmp_path)
    ring = LiveKeyring("directory:keys", Path("trust.toml"), files, clock=lambda: files.now)
    monkeypatch.chdir("/")
    files.believe(an_entry(revoked="true"))
    files.now += PACE_S
    ring.look()
    assert ring.trust.keys[a_private().kid].revoked
    assert not [event for event in files.told if isinstance(event, Failed)]


def test_with_nothing_to_follow_it_signs_and_believes_nothing(files: Files) -> None:
    ring = LiveKeyring(None, None, files)
    ring.look()
    assert (ring.active, ring.trust.keys, ring.privates, ring.good_since) == (None, {}, (), {})
    assert set(files.ring.good_since) == {"trust", "key"}


def test_what_is_amiss_at_the_start_is_raised(tmp_path: Path) -> None:
    files = Files(tmp_path)
    with pytest.raises(KeyringError, match="No such file"):
        LiveKeyring(f"file:{tmp_path / 'none'}", None, files)
    with pytest.raises(KeyringError, match="cannot be read"):
        LiveKeyring(None, tmp_path / "none", files)


def test_a_key_signs_nothing_before_its_time_but_for_what_clocks_differ() -> None:
    ring = Keyring(a_private(), TrustStore.empty())
    assert ring.signer(T - EARLY_S)
    with pytest.raises(SealError, match=r"not to be used before 2027-01-15 12:00:00 UTC"):
        ring.signer(T - EARLY_S - 1)


def test_a_ring_that_signs_with_another_key_believes_what_this_one_does(files: Files) -> None:
    other = a_private("operator")
    lent = files.ring.signed_by(other)
    assert lent.active == other
    files.believe(an_entry(revoked="true"))
    files.later()
    assert lent.trust.keys[a_private().kid].revoked
