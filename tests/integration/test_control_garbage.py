"""Whatever is published to commands, replies or events ends no worker and no caller; who does not listen hears none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from service.factory import make_app

from safecelery.errors import SealError
from safecelery.message.control import reply_draft
from safecelery.testing.servers import RabbitServer
from tests.integration.control_stage import PIDBOX, ControlStage, Sealed
from tests.integration.stage import TIMEOUT, eventually, let_go

pytestmark = pytest.mark.usefixtures("both_still_run")


ODD_TYPES = {
    "body": "gASVHAAAAA==",
    "headers": {"safecelery": 3, "compression": "zlib", "clock": "a", "expires": {}},
    "properties": {"body_encoding": "base64"},
    "content-type": "application/x-python-serialize",
    "content-encoding": "rot13",
}
GARBAGE = [
    b"",
    b"\x00",
    b"not json",
    b"[]",
    b"null",
    b"3",
    b'"text"',
    b"{}",
    b"\xff\xfe\x00",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"body": 1, "properties": {}}',
    b'{"body": "", "properties": []}',
    b'{"body": "e30=", "properties": {}}',
    b'{"body": "x", "properties": {"body_encoding": "rot13", "delivery_tag": {}}}',
    b'{"body": "e30=", "headers": [], "properties": {"body_encoding": "base64", "delivery_tag": "1"}}',
    json.dumps(ODD_TYPES).encode(),
    json.dumps({"method": "shutdown", "arguments": {}, "destination": 3, "pattern": [], "matcher": {}}).encode(),
    b"x" * 3_000_000,
]


def test_garbage_for_the_pidbox(remote: ControlStage) -> None:
    for item in GARBAGE:
        remote.publish_raw(item)
        remote.publish(Sealed(item, {"safecelery": "a.b"}))
    for name in "ab":  # whatever came before has been read by then
        assert remote.ask("ping", name) == {"ok": "pong"}
    before = remote.refusals("envelope-missing")
    remote.publish(Sealed(b"{}", {}))
    remote.until_refused("envelope-missing", before)


@pytest.mark.parametrize("key", ["", "worker.heartbeat", "worker.online", "task.received", "worker.elect"])
def test_garbage_for_the_events_is_not_even_read(remote: ControlStage, key: str) -> None:
    for item in GARBAGE:
        remote.publish_raw(item, "celeryev", key)
    for name in "ab":
        assert remote.ask("ping", name) == {"ok": "pong"}  # it has looked at what came since
        assert "event dropped" not in remote.workers[name].log
        assert "mingle" not in remote.workers[name].log


def test_headers_of_amqp_may_be_anything(remote: ControlStage) -> None:
    if not isinstance(remote.broker, RabbitServer):
        pytest.skip("RabbitMQ only")
    odd: list[dict[str, Any]] = [
        {"content_type": "\udcff", "content_encoding": "rot13"},
        {"application_headers": {"a": {"b": {"c": [[[[]]]]}}, "\udcff": 1}},
        {"content_encoding": "utf-16", "application_headers": {"clock": [], "expires": "x"}},
        {"application_headers": {"safecelery": {"a": [1]}, "ticket": None}},
        {"application_headers": {"safecelery": b"\xff", "compression": "bzip2"}},
        {"reply_to": "x", "correlation_id": "y", "priority": 9, "expiration": "1000", "timestamp": 1},
    ]
    for properties in odd:
        try:
            remote._amqp(b"\xff", PIDBOX, "", **properties)
        except UnicodeError:  # the library of the attacker is stricter than the protocol
            continue


# Replies --------------------------------------------------------------------------------------------------------------


def test_forged_foreign_and_garbage_replies_are_dropped(remote: ControlStage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "safecelery")
    both = ["a@stage", "b@stage"]
    forged = json.dumps({"evil@stage": {"ok": "pong"}}).encode()
    with remote.app.connection_for_write() as connection:
        mailbox = remote.app.control.mailbox(connection)
        address = {"exchange": mailbox.reply_exchange.name, "routing_key": mailbox.oid}
        mailbox.reply_queue(connection.default_channel).declare()
        other = remote.command("ping", destination=["b@stage"], ticket="x" * 20, reply_to=address)
        remote.publish(other)  # its honest reply is one to a question that this caller never asked
        producer = connection.Producer(auto_declare=False)
        for body, headers in (
            (forged, {"ticket": "y", "clock": 1}),
            (b"\xff", {}),
            (b"[]", {"ticket": {}, "clock": "z", "expires": []}),
            (b"{}", {"safecelery": "a.b"}),
            (other.body, other.headers),
            (
                forged,
                remote.seal(reply_draft(forged, request="x", worker="evil@stage", **address), "web").headers,
            ),
        ):
            producer.publish(
                body, headers=headers, content_type="application/json", content_encoding="utf-8", **address
            )
        for _ in range(2):
            replies = mailbox._broadcast("ping", {}, both, reply=True, timeout=TIMEOUT)
            assert sorted(name for reply in replies for name in reply) == both
    for reason in ("envelope-missing", "envelope-malformed", "reply-unasked", "claims-malformed"):
        assert f"reply dropped: {reason} " in caplog.text


def test_who_trusts_nobody_can_ask_nobody(remote: ControlStage) -> None:
    settings = remote.settings("operator", signing={"key": remote.keys.reference("operator")})
    app = make_app(settings, set_as_current=False)
    with pytest.raises(SealError, match="SAFECELERY_SIGNING__TRUST_FILE"):
        app.control.inspect(timeout=1).ping()
    let_go(app)


# Who listens to what --------------------------------------------------------------------------------------------------


def test_a_worker_says_who_may_command_it(remote: ControlStage) -> None:
    log = remote.workers["a"].log
    assert "remote control is on, for signed commands of: operator-" in log
    assert "(*); developer-" in log


def test_without_control_grants_no_worker_listens(remote: ControlStage) -> None:
    trust = remote.directory / "no-control.toml"
    trust.write_text("\n".join(entry for entry in remote.keys.entries if "control = []" in entry))
    trust.chmod(0o600)
    with remote.worker("deaf", SAFECELERY_SIGNING__TRUST_FILE=str(trust)) as deaf:
        assert "remote control is off: no key of the trust store has control grants" in deaf.log
        remote.publish(remote.command("shutdown", destination=["deaf@stage"]))
        remote.publish_raw(b"[]")
        assert remote.app.control.ping(destination=["deaf@stage"], timeout=2.0) == []
        assert deaf.running
        assert "command refused" not in deaf.log


def test_gossip_and_mingle_that_were_asked_for_survive_garbage(remote: ControlStage) -> None:
    talk = {"SAFECELERY_CONTROL__UNSIGNED_GOSSIP": "true", "SAFECELERY_CONTROL__MINGLE": "true"}
    with remote.worker("gossip", owner="operator", app="tests.integration.mingling_app", **talk) as worker:
        assert "gossip is on" in worker.log
        assert "mingle: sync complete" in worker.log
        for key in ("worker.heartbeat", "worker.elect", "worker.elect.ack", "task.received", "nonsense"):
            for item in GARBAGE:
                remote.publish_raw(item, "celeryev", key)
        elect = {"type": "worker-elect", "id": "1", "clock": 1, "hostname": "gossip@stage", "pid": worker.pid,
                 "topic": "task", "action": {"task": "service.secret", "args": []}, "cver": 1}  # fmt: skip
        remote.publish(Sealed(json.dumps(elect).encode(), {"hostname": "evil"}), "celeryev", "worker.elect")
        remote.publish(Sealed(json.dumps({**elect, "clock": 1e400}).encode(), {}), "celeryev", "worker.heartbeat")
        eventually(lambda: "event dropped: body-malformed" in worker.log)
        assert remote.ask("ping", "gossip") == {"ok": "pong"}
