"""``safecelery keys`` with keys that others encrypt to."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from safecelery.keys.encryption.ring import DecryptionKeys
from safecelery.keys.encryption.schemes import ENCRYPTION_SCHEMES
from safecelery.keys.trust import TrustStore

Run = Callable[..., Result]


@pytest.fixture
def trust(run: Run, room: Path) -> Path:
    """A trust file with a signing key."""
    assert run("keys", "generate", "web", "--out", "web.key", "--trust", "trust.toml").exit_code == 0
    return room / "trust.toml"


@pytest.mark.parametrize("scheme", ENCRYPTION_SCHEMES)
def test_a_new_key_is_private_and_can_be_encrypted_to(run: Run, room: Path, trust: Path, scheme: str) -> None:
    words = ["keys", "generate", "orders", "--scheme", scheme, "--queue", "orders", "--read-results", "orders.*"]
    result = run(*words, "--out", "orders.key", "--trust", trust)
    assert result.exit_code == 0, result.output
    assert "SAFECELERY_ENCRYPTION__KEYS=file:" in result.stderr
    assert stat.S_IMODE((room / "orders.key").stat().st_mode) == 0o600
    (key,) = TrustStore.load(trust).encryption.values()
    assert key.reads_queue("orders")
    assert key.reads_result_of("orders.pay")
    reader = DecryptionKeys([f"file:{room / 'orders.key'}"]).first_of([key.kid])
    assert reader is not None
    assert reader.unwrapper.unwrap(key.wrapper.wrap(bytes(32), b"c"), b"c") == bytes(32)
    secret = next(line for line in (room / "orders.key").read_text().splitlines() if line.startswith("secret"))
    assert secret.split('"')[1] not in result.output + trust.read_text()


def test_without_a_trust_file_the_entry_is_printed_and_without_grants_it_is_noted(run: Run) -> None:
    result = run("keys", "generate", "orders", "--scheme", "hpke-x25519")
    assert result.exit_code == 0
    assert result.stdout.startswith('[encryption."orders-')
    assert "nothing is encrypted to it" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("--send", "x", "--scheme", "hpke-x25519"),
        ("--control", "x", "--scheme", "aes-256-gcm"),
        ("--read-results", "x"),
    ],
)
def test_what_means_nothing_for_such_a_key_is_refused(run: Run, room: Path, words: tuple[str, ...]) -> None:
    result = run("keys", "generate", "orders", "--out", "orders.key", *words)
    assert result.exit_code == 2
    assert "is of no meaning for a key that" in result.output
    assert not (room / "orders.key").exists()


def test_a_trust_file_that_cannot_be_used_leaves_no_key_behind(run: Run, room: Path) -> None:
    (room / "trust.toml").write_text("nonsense")
    words = ("keys", "generate", "orders", "--scheme", "hpke-x25519", "--out", "o.key", "--trust", "trust.toml")
    assert run(*words).exit_code != 0
    assert not (room / "o.key").exists()


def test_they_are_listed_apart_and_shown(run: Run, room: Path, trust: Path) -> None:
    run(
        "keys", "generate", "orders", "--scheme", "hpke-x25519", "--queue", "orders", "--out", "o.key", "--trust", trust
    )
    (key,) = TrustStore.load(trust).encryption.values()
    listed = run("keys", "list", "--trust", trust).output
    assert "ENCRYPTION KEY" in listed
    assert key.kid in listed
    known = {entry["kid"]: entry for entry in json.loads(run("keys", "list", "--trust", trust, "--json").stdout)}
    assert known[key.kid]["use"] == "encryption"
    assert known[key.kid]["state"] == "valid"
    shown = json.loads(run("keys", "show", key.kid, "--trust", trust, "--json").stdout)
    assert shown == known[key.kid]
    private = json.loads(run("keys", "show", room / "o.key", "--json").stdout)
    assert private["kid"] == key.kid
    assert private["public"] in trust.read_text()
    assert "secret" not in private


@pytest.mark.parametrize(
    ("change", "state"),
    [("revoked = true", "revoked"), ("expires = 2020-01-01T00:00:00Z", "expired"),
     ("not_before = 2999-01-01T00:00:00Z", "not yet valid")],
)  # fmt: skip
def test_their_state_is_told(run: Run, trust: Path, change: str, state: str) -> None:
    run("keys", "generate", "orders", "--scheme", "hpke-x25519", "--out", "o.key", "--trust", trust)
    name = change.partition(" ")[0]
    head, _, entry = trust.read_text().partition("[encryption.")
    lines = [line for line in entry.splitlines() if not line.startswith(("not_before", "expires", name))]
    rest = [] if name == "expires" else ["expires = 3000-01-01T00:00:00Z"]
    trust.write_text(head + "[encryption." + "\n".join([*lines, *rest, change]) + "\n")
    (known,) = (entry for entry in json.loads(run("keys", "list", "--trust", trust, "--json").stdout) if "use" in entry)
    assert known["state"] == state


def test_nothing_is_encrypted_to_a_revoked_key(run: Run, trust: Path) -> None:
    run("keys", "generate", "orders", "--scheme", "hpke-x25519", "--queue", "orders", "--trust", trust)
    (kid,) = TrustStore.load(trust).encryption
    result = run("keys", "revoke", kid, "--trust", trust)
    assert result.exit_code == 0, result.output
    assert "The private key still opens" in result.stdout
    store = TrustStore.load(trust)
    assert store.encryption[kid].revoked
    assert not any(key.revoked for key in store.keys.values())


def test_a_key_that_is_encrypted_to_is_not_rotated_but_made_anew(run: Run, trust: Path) -> None:
    run("keys", "generate", "orders", "--scheme", "hpke-x25519", "--queue", "orders", "--trust", trust)
    (kid,) = TrustStore.load(trust).encryption
    result = run("keys", "rotate", kid, "--trust", trust)
    assert result.exit_code != 0
    assert "safecelery keys generate orders --scheme hpke-x25519" in result.output


@pytest.mark.parametrize("days", [10, 300])
def test_list_expiring_looks_at_keys_that_are_encrypted_to(run: Run, trust: Path, days: int) -> None:
    run("keys", "generate", "orders", "--scheme", "hpke-x25519", "--queue", "q", "--days", days, "--trust", trust)
    result = run("keys", "list", "--expiring", "--trust", trust)
    assert result.exit_code == (1 if days == 10 else 0)
    assert ("orders" in result.stdout) is (days == 10)
