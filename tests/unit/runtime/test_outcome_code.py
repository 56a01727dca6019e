"""Operations of encrypted tasks: names that cannot be guessed, outcomes that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.app.task import Context

from safecelery import SettingsError
from safecelery.errors import KeyringError
from safecelery.keys.encryption.private import render_decryption_key
from safecelery.keys.encryption.ring import load_operations_key
from safecelery.keys.generate import write_document
from safecelery.runtime.hidden import HIDDEN
from safecelery.runtime.idempotency import Idempotency
from safecelery.runtime.outcome_code import OutcomeCode, operations_secret
from safecelery.runtime.startup import _refuse_keys_without_store
from tests.unit.apps import an_app
from tests.unit.keys.encryption_builders import a_cipher, a_key, a_recipient

SECRET = b"s" * 32


def a_task(name: str = "orders.pay", **request: Any) -> Any:
    return SimpleNamespace(name=name, request=Context({"delivery_info": {"routing_key": "orders"}, **request}))


def a_code(cipher: Any, task: Any = None, name: str = "n" * 64) -> OutcomeCode:
    return OutcomeCode(cipher, task or a_task(), name)


def test_the_outcome_of_an_encrypted_task_is_kept_for_the_readers_of_its_queue() -> None:
    cipher = a_cipher(a_key(), tasks=["orders.*"])
    kept = a_code(cipher).written(b'{"value": "canary"}')
    assert b"canary" not in kept
    assert a_code(cipher).read(kept) == b'{"value": "canary"}'


def test_so_is_that_of_a_message_that_came_encrypted() -> None:
    cipher = a_cipher(a_key())
    code = a_code(cipher, a_task(argsrepr=HIDDEN))
    assert code.read(code.written(b"canary")) == b"canary"
    assert code.written(b"canary") != b"canary"


def test_that_of_any_other_task_is_kept_as_ever() -> None:
    code = a_code(a_cipher(a_key()))
    assert code.read(code.written(b"plain")) == b"plain"
    assert code.written(b"plain") == b"plain"


def test_an_outcome_of_another_operation_or_of_nobody_is_not_believed() -> None:
    cipher = a_cipher(a_key(), tasks=["*"])
    kept = a_code(cipher, name="a" * 64).written(b'{"value": 1}')
    for planted in (kept, b'{"value": 1}', b""):
        assert "lost" in json.loads(a_code(cipher, name="b" * 64).read(planted))
    assert "lost" in json.loads(a_code(a_cipher(a_key("other"), tasks=["*"]), name="a" * 64).read(kept))


def test_what_could_not_be_encrypted_is_kept_as_done() -> None:
    cipher = a_cipher(a_key(), to=[a_recipient(a_key(), queues=())], tasks=["*"])
    kept = a_code(cipher).written(b"canary")
    assert "could not be encrypted" in json.loads(kept)["lost"]
    assert b"canary" not in kept
    assert a_code(cipher).read(kept) == kept


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
