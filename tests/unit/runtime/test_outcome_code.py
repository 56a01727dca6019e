"""Operations in the store: outcomes that cannot be forged; of encrypted tasks, names and outcomes nobody can read."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.app.task import Context

from safecelery import SettingsError
from safecelery.errors import KeyringError
from safecelery.keys.encryption.private import render_decryption_key
from safecelery.keys.encryption.ring import load_operations_key
from safecelery.keys.generate import generate_key, trust_entry, write_document
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message.result import result_draft
from safecelery.message.result_form import join_stored
from safecelery.message.seal import seal
from safecelery.runtime.hidden import HIDDEN
from safecelery.runtime.idempotency import Idempotency
from safecelery.runtime.outcome_code import OutcomeCode, operations_secret
from safecelery.runtime.startup import _refuse_keys_without_store
from safecelery.settings import ResultSettings
from tests.unit.apps import an_app
from tests.unit.keys.encryption_builders import a_cipher, a_key, a_recipient

SECRET = b"s" * 32


def a_task(name: str = "orders.pay", **request: Any) -> Any:
    return SimpleNamespace(name=name, request=Context({"delivery_info": {"routing_key": "orders"}, **request}))


@pytest.fixture
def guard(tmp_path: Path) -> Any:
    """A worker's: with a key that its trust store knows, and a cipher that is used for nothing."""
    found = an_app(tmp_path).guard
    found.cipher = a_cipher(a_key())
    return found


def a_code(guard: Any, task: Any = None, name: str = "n" * 64) -> OutcomeCode:
    return OutcomeCode(guard, task or a_task(), name, 60)


def read(code: OutcomeCode, kept: bytes) -> Any:
    return json.loads(code.read(kept))


def test_an_outcome_is_kept_sealed_and_may_be_read_where_it_is_no_secret(guard: Any) -> None:
    kept = a_code(guard).written(b'{"value": 1}')
    assert json.loads(kept)["value"] == 1
    assert a_code(guard).read(kept) == b'{"value": 1}'


PLANTED = {
    "unsigned": lambda kept: b'{"value": 2}',
    "unsigned-loss": lambda kept: b'{"lost": "as somebody says"}',
    "changed": lambda kept: kept.replace(b'"value": 1', b'"value": 2'),
    "cut": lambda kept: kept[:-9],
    "empty": lambda kept: b"",
    "no-json": lambda kept: b"\x80\x04.",
    "huge": lambda kept: b" " * 3_000_000,
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_one_that_nobody_sealed_is_not_believed_and_the_operation_stays_done(
    guard: Any, planted: Any, caplog: pytest.LogCaptureFixture
) -> None:
    said = read(a_code(guard), planted(a_code(guard).written(b'{"value": 1}')))
    assert "not believed" in said["lost"]
    assert "somebody" not in said["lost"]
    assert "kind=operation" in caplog.text


def test_one_of_another_operation_or_another_task_is_not_believed(guard: Any) -> None:
    kept = a_code(guard, name="a" * 64).written(b'{"value": 1}')
    assert "audience-mismatch" in read(a_code(guard, name="b" * 64), kept)["lost"]
    assert "result-of-another-task" in read(a_code(guard, a_task("orders.refund"), name="a" * 64), kept)["lost"]


def test_a_result_is_no_outcome(guard: Any) -> None:
    body = b'{"value": 1}'
    members = {"task": "orders.pay", "id": f"operation:{'n' * 64}", "state": "SUCCESS"}
    envelope = seal(result_draft("result", body, lifetime_s=60, **members), guard.ring, now=time.time())
    assert "claims-malformed" in read(a_code(guard), join_stored(body, envelope, container=False))["lost"]


@pytest.mark.parametrize(("grants", "believed"), [((), False), (("shop.*",), False), (("orders.*",), True)])
def test_a_worker_of_another_owner_may_say_it_if_it_may_answer(
    guard: Any, grants: tuple[str, ...], believed: bool
) -> None:
    own, other = guard.ring.active, generate_key("billing", lifetime=timedelta(days=1))
    entries = trust_entry(other, send=[], queues=[], results=grants) + trust_entry(own, send=["*"], queues=["*"])
    trust = TrustStore.parse(entries, "test")
    guard.ring = Keyring(other, trust)
    kept = a_code(guard).written(b'{"value": 1}')
    guard.ring = Keyring(own, trust)
    assert read(a_code(guard), kept).get("value") == (1 if believed else None)
    guard.settings = guard.settings.model_copy(update={"results": ResultSettings(mode="report")})
    assert read(a_code(guard), kept) == {"value": 1}


def test_one_of_a_revoked_key_is_not_believed(guard: Any) -> None:
    kept = a_code(guard).written(b'{"value": 1}')
    key = guard.ring.active
    entry = trust_entry(key, send=["*"], queues=["*"]).replace("send =", "revoked = true\nsend =")
    guard.ring = Keyring(key, TrustStore.parse(entry, "test"))
    assert "key-revoked" in read(a_code(guard), kept)["lost"]


def test_where_nothing_can_be_sealed_it_is_kept_that_it_was_done(guard: Any, caplog: pytest.LogCaptureFixture) -> None:
    guard.ring = Keyring(None, guard.ring.trust)
    kept = a_code(guard).written(b'{"value": "canary"}')
    assert "lost" in json.loads(kept)
    assert b"canary" not in kept
    assert "not its outcome" in caplog.text


def test_the_outcome_of_an_encrypted_task_is_kept_for_the_readers_of_its_queue(guard: Any) -> None:
    guard.cipher = a_cipher(a_key(), tasks=["orders.*"])
    kept = a_code(guard).written(b'{"value": "canary"}')
    assert b"canary" not in kept
    assert a_code(guard).read(kept) == b'{"value": "canary"}'


def test_so_is_that_of_a_message_that_came_encrypted(guard: Any) -> None:
    code = a_code(guard, a_task(argsrepr=HIDDEN))
    kept = code.written(b'{"value": "canary"}')
    assert b"canary" not in kept
    assert code.read(kept) == b'{"value": "canary"}'


def test_who_can_encrypt_to_the_queue_cannot_say_what_came_of_it(guard: Any) -> None:
    """The key that it is encrypted to is public."""
    guard.cipher = a_cipher(a_key(), tasks=["*"])
    members: dict[str, Any] = {"typ": "operation", "task": "orders.pay", "task_id": f"operation:{'n' * 64}"}
    forged = guard.cipher.encrypt(b'{"value": 2}', queue="orders", **members)
    assert "envelope-missing" in read(a_code(guard), forged)["lost"]


def test_an_encrypted_outcome_of_another_operation_or_for_somebody_else_is_not_believed(guard: Any) -> None:
    guard.cipher = a_cipher(a_key(), tasks=["*"])
    kept = a_code(guard, name="a" * 64).written(b'{"value": 1}')
    assert "lost" in read(a_code(guard, name="b" * 64), kept)
    guard.cipher = a_cipher(a_key("other"), tasks=["*"])
    assert "undecryptable" in read(a_code(guard, name="a" * 64), kept)["lost"]


def test_one_in_clear_that_has_to_be_encrypted_is_not_believed_but_for_the_news_of_a_loss(guard: Any) -> None:
    value, loss = (a_code(guard).written(said) for said in (b'{"value": 1}', b'{"lost": "too large"}'))
    guard.cipher = a_cipher(a_key(), tasks=["*"])
    assert "not-encrypted" in read(a_code(guard), value)["lost"]
    assert read(a_code(guard), loss) == {"lost": "too large"}


def test_what_could_not_be_encrypted_is_kept_as_done(guard: Any) -> None:
    guard.cipher = a_cipher(a_key(), to=[a_recipient(a_key(), queues=())], tasks=["*"])
    kept = a_code(guard).written(b'{"value": "canary"}')
    assert b"canary" not in kept
    assert "could not be encrypted" in read(a_code(guard), kept)["lost"]


def declared() -> Idempotency:
    def pay(card: str) -> None: ...

    task = SimpleNamespace(name="orders.pay", idempotency_key="pay:{card}", idempotency_ttl=60, idempotency_errors=())
    found = Idempotency.declared(task, pay, skip_first=False, where="x")
    assert found is not None
    return found


def test_names_depend_on_the_secret() -> None:
    names = {declared().name_of(("4111",), {}, secret) for secret in (None, SECRET, b"t" * 32)}
    assert len(names) == 3
    assert declared().name_of(("4111",), {}, SECRET) in names
    assert {len(name) for name in names} == {64}


def test_a_task_that_is_encrypted_needs_the_secret(tmp_path: Path) -> None:
    app = an_app(tmp_path, memory=True, encryption={"tasks": ("orders.*",)})
    for request, name, expected in (({}, "shop.show", None), ({"argsrepr": HIDDEN}, "shop.show", "needed"),
                                    ({}, "orders.pay", "needed")):  # fmt: skip
        task = SimpleNamespace(name=name, app=app, request=Context(request))
        if expected is None:
            assert operations_secret(task) is None
        else:
            with pytest.raises(SettingsError, match=r"set encryption\.operations_key"):
                operations_secret(task)
    app.guard.cipher.operations = SECRET
    assert operations_secret(SimpleNamespace(name="orders.pay", app=app, request=Context())) == SECRET


def test_a_worker_does_not_start_without_it(tmp_path: Path) -> None:
    app = an_app(tmp_path, memory=True)

    @app.task(name="orders.pay", encrypt=True, idempotency_key="pay:{card}", time_limit=9, soft_time_limit=8)
    def pay(card: str) -> None: ...

    with pytest.raises(SettingsError, match="operations_key"):
        _refuse_keys_without_store(app, SimpleNamespace())  # type: ignore[arg-type]
    app.guard.cipher.operations = SECRET
    _refuse_keys_without_store(app, SimpleNamespace())  # type: ignore[arg-type]


def test_the_secret_is_a_key_of_the_symmetric_scheme(tmp_private_dir: Path, tmp_path: Path) -> None:
    path = tmp_private_dir / "names.key"
    write_document(path, render_decryption_key(a_key(scheme="aes-256-gcm")))
    secret = load_operations_key(f"file:{path}")
    assert len(secret) == 32
    assert secret != bytes(range(32))
    app = an_app(tmp_path, encryption={"operations_key": f"file:{path}"})
    assert app.guard.cipher.operations == secret
    write_document(tmp_private_dir / "other.key", render_decryption_key(a_key()))
    with pytest.raises(KeyringError, match="aes-256-gcm"):
        load_operations_key(f"file:{tmp_private_dir / 'other.key'}")
