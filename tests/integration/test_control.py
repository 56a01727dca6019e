"""Remote control through real workers: honest commands work as ever, and nothing else is obeyed, believed or fatal."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from service.factory import make_app

from safecelery import SafeCelery
from safecelery.errors import SealError
from safecelery.message.claims import Audience
from safecelery.message.control import command_draft, reply_draft
from safecelery.message.seal import Draft
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.control_stage import PIDBOX, ControlStage, Sealed, on_control_stage
from tests.integration.stage import eventually, let_go

UNSIGNED = [
    ("shutdown", {}),
    ("rate_limit", {"task_name": "service.add", "rate_limit": "1/h"}),
    ("time_limit", {"task_name": "service.add", "hard": 1, "soft": 1}),
    ("add_consumer", {"queue": "evil"}),
    ("cancel_consumer", {"queue": "commanded"}),
    ("pool_grow", {"n": 50}),
    ("pool_shrink", {"n": 1}),
    ("conf", {}),
    ("election", {"id": "1", "topic": "task", "action": {"task": "service.secret"}}),
    ("enable_events", {}),
    ("revoke", {"task_id": "1"}),
    ("hello", {"from_node": "x", "revoked": ["1"]}),
]


@pytest.fixture(scope="module")
def stage(
    broker: RedisServer | RabbitServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlStage]:
    with on_control_stage(broker, redis_server, tmp_path_factory.mktemp("control")) as stage:
        yield stage


@pytest.fixture(autouse=True)
def both_still_run(stage: ControlStage) -> Iterator[None]:
    """After every test the same two workers still answer, and do not consume or limit anything they did not before."""
    pids = {name: worker.pid for name, worker in stage.workers.items()}
    yield
    assert {name: worker.pid for name, worker in stage.workers.items() if worker.running} == pids
    assert stage.ping("a", "b") == ["a@stage", "b@stage"]


def as_another(stage: ControlStage, owner: str, **changes: Any) -> SafeCelery:
    return make_app(stage.settings(owner, **changes), set_as_current=False)


def processes(stage: ControlStage) -> int:
    return len(stage.ask("stats")["pool"]["processes"])


def body_of(method: str, arguments: dict[str, Any]) -> bytes:
    return command_draft(method, arguments, exchange=PIDBOX).body


# Honest use -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["ping", "active", "conf", "stats", "registered", "report", "active_queues"])
def test_inspect_on_the_command_line(stage: ControlStage, command: str) -> None:
    done = stage.celery("inspect", command, "--json", "--timeout", "10", "--destination", "a@stage,b@stage")
    assert done.returncode == 0, done.stderr
    replies = json.loads(done.stdout.splitlines()[-1])
    assert sorted(replies) == ["a@stage", "b@stage"]
    if command == "ping":
        assert replies["a@stage"] == {"ok": "pong"}
    if command == "registered":
        assert any(line.startswith("service.add") for line in replies["a@stage"])
    if command == "stats":
        assert replies["a@stage"]["pool"]["max-concurrency"] == 1


def test_status_on_the_command_line(stage: ControlStage) -> None:
    done = stage.celery("status", "--timeout", "5")
    assert done.returncode == 0, done.stderr
    assert "a@stage" in done.stdout
    assert "nodes online" in done.stdout


def test_control_on_the_command_line(stage: ControlStage) -> None:
    words = ("--json", "--timeout", "10", "--destination", "a@stage")
    done = stage.celery("control", *words, "rate_limit", "service.add", "100/m")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [{"a@stage": {"ok": "new rate limit set successfully"}}]
    assert "command rate_limit, given by key operator-" in stage.workers["a"].log
    assert stage.ask("rate_limit", task_name="service.add", rate_limit=None) == {
        "ok": "rate limit disabled successfully"
    }
    done = stage.celery("control", *words, "revoke", "some-id", "other-id")
    assert done.returncode == 0, done.stderr
    assert set(stage.ask("revoked")) >= {"some-id", "other-id"}


def test_shutdown_on_the_command_line(stage: ControlStage) -> None:
    with stage.worker("leaving") as leaving:
        eventually(lambda: stage.ping("leaving"), what="an answer")
        done = stage.celery("control", "shutdown", "--destination", "leaving@stage", "--timeout", "0.1")
        assert "Traceback" not in done.stderr
        eventually(lambda: not leaving.running, what="the end of the worker")
        assert "command shutdown, given by key operator-" in leaving.log


def test_commands_of_the_api_do_what_they_say(stage: ControlStage) -> None:
    control = stage.app.control
    assert stage.ask("time_limit", task_name="service.add", hard=19, soft=14) == {"ok": "time limits set successfully"}
    assert stage.ask("pool_grow", n=1) == {"ok": "pool will grow"}
    eventually(lambda: processes(stage) == 2)
    assert stage.ask("pool_shrink", n=1) == {"ok": "pool will shrink"}
    assert stage.ask("pool_shrink", n=1) == {"error": "the pool keeps at least one process"}
    assert control.enable_events(destination=["a@stage"], reply=True)[0]["a@stage"]["ok"]
    assert control.disable_events(destination=["a@stage"], reply=True)[0]["a@stage"]["ok"]
    assert control.inspect(["a@stage"], timeout=10).query_task("nothing") == {"a@stage": {}}
    assert list(control.inspect(pattern="b@*", matcher="glob", timeout=3).ping()) == ["b@stage"]


def test_a_queue_is_added_and_taken_away(stage: ControlStage) -> None:
    def reads(queue: str) -> bool:
        return queue in {entry["name"] for entry in stage.ask("active_queues")}

    assert stage.ask("add_consumer", queue="one-more") == {"ok": "add consumer one-more"}
    eventually(lambda: reads("one-more"))
    assert stage.ask("cancel_consumer", queue="one-more") == {"ok": "no longer consuming from one-more"}
    eventually(lambda: not reads("one-more"))
    assert "error" in stage.ask("add_consumer", queue="safecelery.dead-letters")
    if isinstance(stage.broker, RabbitServer):
        answer = stage.ask("add_consumer", queue="commanded-otherwise", exchange="amq.fanout", exchange_type="topic")
        assert "error" in answer
        assert not reads("commanded-otherwise")


def test_replies_hold_no_secret(stage: ControlStage) -> None:
    secret = stage.url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    assert len(secret) > 6
    for command in ("conf", "report", "stats"):
        for arguments in ({}, {"with_defaults": True}) if command == "conf" else ({},):
            assert secret not in json.dumps(stage.ask(command, **arguments)), command
    assert stage.ask("conf")["broker_url"].startswith(stage.url.partition("://")[0])


# Attacks --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "arguments"), UNSIGNED, ids=[method for method, _ in UNSIGNED])
def test_an_unsigned_command_is_refused(stage: ControlStage, method: str, arguments: dict[str, Any]) -> None:
    before = stage.refusals("envelope-missing")
    stage.publish(Sealed(body_of(method, arguments), {"clock": 1, "expires": 0}))
    stage.until_refused("envelope-missing", before)
    assert [entry["name"] for entry in stage.ask("active_queues")] == ["commanded"]
    assert processes(stage) == 1


def test_a_captured_command_runs_once(stage: ControlStage) -> None:
    captured = stage.command("pool_grow", {"n": 1}, destination=["a@stage"])
    stage.publish(captured)
    eventually(lambda: processes(stage) == 2)
    before = stage.refusals("command-replayed")
    stage.publish(captured)
    stage.until_refused("command-replayed", before)
    assert stage.ask("pool_shrink", n=1) == {"ok": "pool will shrink"}
    eventually(lambda: processes(stage) == 1)


def test_a_command_for_one_worker_does_nothing_at_another(stage: ControlStage) -> None:
    captured = stage.command("rate_limit", {"task_name": "service.add", "rate_limit": "7/m"}, destination=["a@stage"])
    stage.publish(captured)
    eventually(lambda: "service.add [rate_limit=7/m]" in stage.ask("registered"))
    assert "service.add [rate_limit=7/m]" not in stage.ask("registered", worker="b")
    changed = replace(captured, body=captured.body.replace(b"a@stage", b"b@stage"))
    before = stage.refusals("signature-invalid", "b")
    stage.publish(changed)
    stage.until_refused("signature-invalid", before, "b")
    assert "service.add [rate_limit=7/m]" not in stage.ask("registered", worker="b")
    stage.ask("rate_limit", task_name="service.add", rate_limit=None)


@pytest.mark.parametrize("owner", ["developer", "web", "worker"])
def test_a_command_of_a_key_without_the_grant(stage: ControlStage, owner: str) -> None:
    before = stage.refusals("command-not-granted")
    stage.publish(stage.command("shutdown", owner=owner))
    stage.until_refused("command-not-granted", before)


def test_who_may_only_look_can_look(stage: ControlStage) -> None:
    done = stage.celery("inspect", "ping", "--destination", "a@stage", "--timeout", "10", owner="developer")
    assert done.returncode == 0, done.stderr
    done = stage.celery("control", "shutdown", owner="developer")
    assert done.returncode != 0
    assert "may not give the command 'shutdown'" in done.stdout + done.stderr


def test_a_command_signed_as_something_else(stage: ControlStage) -> None:
    before = stage.refusals("type-mismatch")
    stage.publish(stage.command("shutdown", typ="task"))
    stage.until_refused("type-mismatch", before)
    before = stage.refusals("claims-malformed")
    stage.publish(stage.command("shutdown", hdr={"kind": "reply", "request": "x", "worker": "a@stage"}))
    stage.until_refused("claims-malformed", before)


def test_a_command_signed_for_another_place(stage: ControlStage) -> None:
    before = stage.refusals("audience-mismatch")
    stage.publish(stage.command("shutdown", aud=Audience(queue="commanded")))
    stage.until_refused("audience-mismatch", before)
    stage.publish(stage.command("shutdown", aud=Audience(exchange="other.pidbox", routing_key="")))
    stage.until_refused("audience-mismatch", before + 1)


def test_a_command_out_of_time(stage: ControlStage) -> None:
    for now, lifetime, reason in (
        (time.time() - 120, 60, "stale"),
        (time.time(), 3600, "stale"),
        (time.time() - 50, 3600, "stale"),
        (time.time() + 600, 60, "not-yet-valid"),
    ):
        before = stage.refusals(reason)
        stage.publish(stage.command("shutdown", now=now, lifetime_s=lifetime))
        stage.until_refused(reason, before)


def test_a_captured_command_does_not_reach_the_worker_that_starts_anew(stage: ControlStage) -> None:
    captured = stage.command("shutdown", destination=["anew@stage"])
    time.sleep(1.1)  # times in claims are whole seconds; a worker takes longer than that to start
    with stage.worker("anew") as anew:
        eventually(lambda: stage.ping("anew"), what="an answer")
        stage.publish(captured)
        eventually(lambda: "command refused: stale (signed before this worker started" in anew.log)
        assert stage.ping("anew") == ["anew@stage"]


def test_a_command_used_as_a_task_and_a_task_as_a_command(stage: ControlStage) -> None:
    task = Draft(
        typ="task", aud=Audience(queue="commanded"), ct="application/json", ce="utf-8", cmp=None,
        hdr={"task": "service.note", "id": "x"}, props={}, body=body_of("shutdown", {}), lifetime_s=60,
    )  # fmt: skip
    before = stage.refusals("type-mismatch")
    stage.publish(stage.seal(task))
    stage.until_refused("type-mismatch", before)
    command = stage.command("shutdown", aud=Audience(queue="commanded"), hdr={"task": "service.note", "id": "x"})
    with stage.app.connection_for_write() as connection:
        connection.Producer(auto_declare=False).publish(
            command.body, exchange="", routing_key="commanded", headers={**command.headers, "task": "service.note"},
            content_type="application/json", content_encoding="utf-8",
        )  # fmt: skip
    logs = [stage.workers[name] for name in "ab"]
    eventually(lambda: any("message refused: type-mismatch (signed as control" in worker.log for worker in logs))


WRONG = [
    ("rate_limit", {"task_name": ["service.add"], "rate_limit": "1/s"}),
    ("rate_limit", {"task_name": "service.add", "rate_limit": "1/fortnight"}),
    ("rate_limit", {"task_name": "service.add", "rate_limit": {"a": 1}}),
    ("time_limit", {"task_name": "service.add", "hard": "soon"}),
    ("time_limit", {"task_name": "service.add", "hard": True, "soft": -1}),
    ("pool_grow", {"n": "many"}),
    ("pool_grow", {"n": -1}),
    ("pool_grow", {"n": 10**9}),
    ("pool_shrink", {"n": 1.5}),
    ("add_consumer", {"queue": None}),
    ("add_consumer", {"queue": "q", "exchange_type": "x-nonsense"}),
    ("add_consumer", {"queue": "q", "on_declared": "os.system"}),
    ("cancel_consumer", {"queue": {"a": 1}}),
    ("revoke", {"task_id": {"a": 1}}),
    ("revoke", {"task_id": "x", "terminate": True, "signal": "SIGNONSENSE"}),
    ("revoke_by_stamped_headers", {"headers": ["a"]}),
    ("terminate", {"signal": [], "task_id": "x"}),
    ("conf", {"with_defaults": "yes"}),
    ("registered", {"taskinfoitems": 3}),
    ("query_task", {}),
    ("autoscale", {"max": [], "min": {}}),
    ("hello", {"from_node": 3, "revoked": {"a": 1}}),
    ("ping", {"state": 1}),
    ("shutdown", {"msg": {"a": 1}}),
    ("pool_restart", {"modules": "os", "reloader": "exec"}),
    ("memdump", {"samples": "x"}),
    ("objgraph", {"type": "../../x"}),
]


@pytest.mark.parametrize(("method", "arguments"), WRONG)
def test_arguments_of_a_wrong_type_are_an_error_reply(
    stage: ControlStage, method: str, arguments: dict[str, Any]
) -> None:
    before = stage.refusals("command-arguments")
    assert stage.ask(method, **arguments)["error"].startswith(f"command-arguments: {method}: ")
    stage.until_refused("command-arguments", before)


def test_a_handler_that_fails_is_an_error_reply(stage: ControlStage) -> None:
    assert "error" in stage.ask("autoscale", max=3, min=1)
    assert "error" in stage.ask("pool_restart")


@pytest.mark.parametrize("method", ["election", "no_such_command", "__class__"])
def test_an_unknown_command_is_refused(stage: ControlStage, method: str) -> None:
    before = stage.refusals("command-unknown")
    stage.publish(stage.command(method, {"id": "1", "topic": "task", "action": {"task": "service.secret"}}))
    stage.until_refused("command-unknown", before)


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


def test_garbage_for_the_pidbox(stage: ControlStage) -> None:
    for item in GARBAGE:
        stage.publish_raw(item)
        stage.publish(Sealed(item, {"safecelery": "a.b"}))
    before = stage.refusals("envelope-missing")
    stage.publish(Sealed(b"{}", {}))  # whatever came before has been read by then
    stage.until_refused("envelope-missing", before)


@pytest.mark.parametrize("key", ["", "worker.heartbeat", "worker.online", "task.received", "worker.elect"])
def test_garbage_for_the_events_is_not_even_read(stage: ControlStage, key: str) -> None:
    for item in GARBAGE:
        stage.publish_raw(item, "celeryev", key)
    for name in "ab":
        assert "event dropped" not in stage.workers[name].log
        assert "mingle" not in stage.workers[name].log


def test_headers_of_amqp_may_be_anything(stage: ControlStage) -> None:
    if not isinstance(stage.broker, RabbitServer):
        pytest.skip("RabbitMQ only")
    odd: list[dict[str, Any]] = [
        {"content_type": "\udcff", "content_encoding": "rot13"},
        {"content_encoding": "utf-16", "application_headers": {"clock": [], "expires": "x"}},
        {"application_headers": {"safecelery": {"a": [1]}, "ticket": None}},
        {"application_headers": {"safecelery": b"\xff", "compression": "bzip2"}},
        {"reply_to": "x", "correlation_id": "y", "priority": 9, "expiration": "1000", "timestamp": 1},
    ]
    for properties in odd:
        try:
            stage._amqp(b"\xff", PIDBOX, "", **properties)
        except UnicodeError:  # the library of the attacker is stricter than the protocol
            continue


# Replies --------------------------------------------------------------------------------------------------------------


def test_forged_foreign_and_garbage_replies_are_dropped(stage: ControlStage, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "safecelery")
    both = ["a@stage", "b@stage"]
    forged = json.dumps({"evil@stage": {"ok": "pong"}}).encode()
    with stage.app.connection_for_write() as connection:
        mailbox = stage.app.control.mailbox(connection)
        address = {"exchange": mailbox.reply_exchange.name, "routing_key": mailbox.oid}
        mailbox.reply_queue(connection.default_channel).declare()
        other = stage.command("ping", destination=["b@stage"], ticket="x" * 20, reply_to=address)
        stage.publish(other)  # its honest reply is one to a question that this caller never asked
        producer = connection.Producer(auto_declare=False)
        for body, headers in (
            (forged, {"ticket": "y", "clock": 1}),
            (b"\xff", {}),
            (b"[]", {"ticket": {}, "clock": "z", "expires": []}),
            (b"{}", {"safecelery": "a.b"}),
            (other.body, other.headers),
            (forged, stage.seal(reply_draft(forged, request="x", worker="evil@stage", **address), "web").headers),
        ):
            producer.publish(
                body, headers=headers, content_type="application/json", content_encoding="utf-8", **address
            )
        for _ in range(2):
            replies = mailbox._broadcast("ping", {}, both, reply=True, timeout=10)
            assert sorted(name for reply in replies for name in reply) == both
    for reason in ("envelope-missing", "envelope-malformed", "reply-unasked", "claims-malformed"):
        assert f"reply dropped: {reason} " in caplog.text


def test_who_trusts_nobody_can_ask_nobody(stage: ControlStage) -> None:
    app = as_another(stage, "operator", signing={"key": stage.keys.reference("operator")})
    with pytest.raises(SealError, match="SAFECELERY_SIGNING__TRUST_FILE"):
        app.control.inspect(timeout=1).ping()
    let_go(app)


# Who listens to what --------------------------------------------------------------------------------------------------


def test_a_worker_says_who_may_command_it(stage: ControlStage) -> None:
    log = stage.workers["a"].log
    assert "remote control is on, for signed commands of: operator-" in log
    assert "(*); developer-" in log


def test_without_control_grants_no_worker_listens(stage: ControlStage) -> None:
    trust = stage.directory / "no-control.toml"
    trust.write_text("\n".join(entry for entry in stage.keys.entries if "control = []" in entry))
    trust.chmod(0o600)
    with stage.worker("deaf", SAFECELERY_SIGNING__TRUST_FILE=str(trust)) as deaf:
        assert "remote control is off: no key of the trust store has control grants" in deaf.log
        stage.publish(stage.command("shutdown", destination=["deaf@stage"]))
        stage.publish_raw(b"[]")
        assert stage.app.control.ping(destination=["deaf@stage"], timeout=2.0) == []
        assert deaf.running
        assert "command refused" not in deaf.log


def test_gossip_and_mingle_that_were_asked_for_survive_garbage(stage: ControlStage) -> None:
    talk = {"SAFECELERY_CONTROL__UNSIGNED_GOSSIP": "true", "SAFECELERY_CONTROL__MINGLE": "true"}
    with stage.worker("gossip", owner="operator", **talk) as worker:
        assert "gossip is on" in worker.log
        assert "mingle: sync complete" in worker.log
        for key in ("worker.heartbeat", "worker.elect", "worker.elect.ack", "task.received", "nonsense"):
            for item in GARBAGE:
                stage.publish_raw(item, "celeryev", key)
        elect = {"type": "worker-elect", "id": "1", "clock": 1, "hostname": "gossip@stage", "pid": worker.pid,
                 "topic": "task", "action": {"task": "service.secret", "args": []}, "cver": 1}  # fmt: skip
        stage.publish(Sealed(json.dumps(elect).encode(), {"hostname": "evil"}), "celeryev", "worker.elect")
        stage.publish(Sealed(json.dumps({**elect, "clock": 1e400}).encode(), {}), "celeryev", "worker.heartbeat")
        eventually(lambda: "event dropped: body-malformed" in worker.log)
        assert stage.ping("gossip") == ["gossip@stage"]
