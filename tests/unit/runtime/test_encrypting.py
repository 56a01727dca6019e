"""What is encrypted when it is sent, for whom, and what goes out then."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kombu import Exchange, Queue

from safecelery import SafeCelery, SealError, SettingsError
from safecelery.errors import Reason, Rejected
from safecelery.keys.encryption.generate import encryption_trust_entry, generate_encryption_key
from safecelery.keys.encryption.private import render_decryption_key
from safecelery.keys.generate import write_document
from safecelery.message.claims import Audience, Claims
from safecelery.message.codec import split
from safecelery.message.encrypted import ENCRYPTED
from safecelery.message.seal import HEADER
from safecelery.runtime.encrypting import encrypted_body
from safecelery.runtime.hidden import HIDDEN, veil
from tests.unit.apps import an_app, keys_in

CANARY = "canary-4111"


@pytest.fixture
def app(tmp_path: Path) -> SafeCelery:
    """One that encrypts to its own key, for the queues ``orders`` and ``eu``."""
    key = generate_encryption_key("reader", scheme="hpke-x25519", lifetime=timedelta(days=1))
    write_document(tmp_path / "reader.key", render_decryption_key(key))
    trust: Path = keys_in(tmp_path)["trust_file"]
    trust.write_text(trust.read_text() + "\n" + encryption_trust_entry(key, queues=["orders", "eu"]))
    return an_app(
        tmp_path, memory=True, default_queue="orders",
        encryption={"keys": (f"file:{tmp_path / 'reader.key'}",), "tasks": ("vault.*",)},
    )  # fmt: skip


class Sent:
    """What left a producer of the app."""

    def __init__(self, app: SafeCelery, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[dict[str, Any]] = []
        monkeypatch.setattr("kombu.messaging.Producer._publish", lambda producer, *args, **kw: self.take(args))
        self.app = app

    def take(self, args: tuple[Any, ...]) -> None:
        body, _, content_type, content_encoding, headers = args[:5]
        self.messages.append({"body": body, "ct": content_type, "ce": content_encoding, "headers": headers})

    def plain(self) -> Any:
        """Of the last one, decrypted."""
        last = self.messages[-1]
        claims = Claims.from_bytes(split(last["headers"][HEADER])[0])
        assert (claims.ct, claims.ce) == (last["ct"], last["ce"]) == ENCRYPTED
        hdr = claims.hdr
        return json.loads(self.app.guard.cipher.decrypt(last["body"], typ="task", task=hdr["task"], task_id=hdr["id"]))


@pytest.fixture
def sent(app: SafeCelery, monkeypatch: pytest.MonkeyPatch) -> Sent:
    return Sent(app, monkeypatch)


def test_a_task_that_the_settings_name_leaves_as_ciphertext(app: SafeCelery, sent: Sent) -> None:
    app.send_task("vault.keep", (CANARY,))
    assert sent.plain()[0] == [CANARY]
    assert CANARY not in str(sent.messages)
    assert {"argsrepr", "kwargsrepr"}.isdisjoint(sent.messages[0]["headers"])


def test_another_task_leaves_as_ever(app: SafeCelery, sent: Sent) -> None:
    app.send_task("shop.show", (CANARY,))
    assert sent.messages[0]["ct"] == "application/json"
    assert CANARY in sent.messages[0]["headers"]["argsrepr"]


def test_a_task_says_so_itself(app: SafeCelery, sent: Sent) -> None:
    @app.task(name="shop.pay", encrypt=True, time_limit=9, soft_time_limit=8)
    def pay(text: str) -> None: ...

    pay.delay(CANARY)
    assert sent.plain()[0] == [CANARY]


@pytest.mark.parametrize("said", ["yes", 1, None])
def test_neither_yes_nor_no_is_an_error(app: SafeCelery, said: Any) -> None:
    with pytest.raises(SettingsError, match="encrypt is True or False"):

        @app.task(name="shop.pay", encrypt=said, time_limit=9, soft_time_limit=8)
        def pay(text: str) -> None: ...


@pytest.mark.parametrize("option", ["link", "link_error", "chain", "chord"])
def test_what_embeds_an_encrypted_task_is_encrypted_as_a_whole(app: SafeCelery, sent: Sent, option: str) -> None:
    inner = app.signature("vault.keep", (CANARY,), immutable=True)
    app.send_task("shop.show", (), **{option: [inner] if option == "chain" else inner})
    assert CANARY in str(sent.plain()[2])


@pytest.mark.parametrize("task", ["celery.map", "celery.starmap", "celery.chunks"])
def test_so_are_celerys_own_tasks_over_one(app: SafeCelery, sent: Sent, task: str) -> None:
    inner = app.signature("vault.keep")
    app.send_task(task, (), {"task": inner, "it": [(CANARY,)]})
    assert CANARY in str(sent.plain()[1])


def test_what_came_encrypted_is_sent_again_encrypted(app: SafeCelery, sent: Sent) -> None:
    with veil("t-1", "shop.show"):
        app.send_task("shop.show", (CANARY,), task_id="t-1")
        assert sent.plain()[0] == [CANARY]
        app.send_task("shop.show", ("of its own",), task_id="t-2")
        assert sent.messages[-1]["ct"] == "application/json"


def test_the_event_of_sending_tells_nothing(app: SafeCelery) -> None:
    for name, shown in (("vault.keep", HIDDEN), ("shop.show", f"('{CANARY}',)")):
        message = app.amqp.as_task_v2("t-1", name, (CANARY,), {}, create_sent_event=True)
        assert message.sent_event["args"] == shown
        assert message.headers["argsrepr"] == shown


def test_an_exchange_that_leads_to_one_queue_is_as_good_as_the_queue(app: SafeCelery) -> None:
    routes = Exchange("routes", type="topic")
    app.conf.task_queues = [
        Queue("orders", routes, routing_key="one.*"),
        Queue("eu", routes, routing_key="eu.#"),
        Queue("both", routes, routing_key="eu.#"),
    ]
    headers = {"task": "vault.keep", "id": "t-1"}
    data = encrypted_body(app.guard, b"x", headers, Audience(exchange="routes", routing_key="one.new"))
    assert app.guard.cipher.decrypt(data, typ="task", task="vault.keep", task_id="t-1") == b"x"
    for key in ("eu.new", "nowhere"):
        with pytest.raises(SealError, match="not known which queue"):
            encrypted_body(app.guard, b"x", headers, Audience(exchange="routes", routing_key=key))


def test_a_message_that_cannot_be_judged_is_not_sent(app: SafeCelery) -> None:
    with app.producer_pool.acquire() as producer:
        with pytest.raises(SealError, match="not of task protocol 2"):
            producer.publish({"args": [CANARY]}, routing_key="orders", headers={"task": "vault.keep", "id": "t-1"})
        with pytest.raises(SealError, match="has no id"):
            producer.publish(([], {}, {}), routing_key="orders", headers={"task": "vault.keep"}, serializer="json")


def test_decryption_is_refused_to_who_moved_it(app: SafeCelery, sent: Sent) -> None:
    app.send_task("vault.keep", (CANARY,))
    with pytest.raises(Rejected) as caught:
        app.guard.cipher.decrypt(sent.messages[0]["body"], typ="task", task="vault.other", task_id="x")
    assert caught.value.reason is Reason.UNDECRYPTABLE
