"""Commands that are not signed, granted, fresh, new or for this worker: refused, counted, and nothing happens."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest

from safecelery.message.claims import Audience
from safecelery.message.seal import Draft
from tests.integration.control_stage import ControlStage, Sealed, body_of, processes
from tests.integration.stage import eventually

pytestmark = pytest.mark.usefixtures("both_still_run")


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


# Attacks --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "arguments"), UNSIGNED, ids=[method for method, _ in UNSIGNED])
def test_an_unsigned_command_is_refused(remote: ControlStage, method: str, arguments: dict[str, Any]) -> None:
    before, size = remote.refusals("envelope-missing"), processes(remote)
    remote.publish(Sealed(body_of(method, arguments), {"clock": 1, "expires": 0}))
    remote.until_refused("envelope-missing", before)
    assert [entry["name"] for entry in remote.ask("active_queues")] == ["commanded"]
    assert processes(remote) == size


def test_a_captured_command_runs_once(remote: ControlStage) -> None:
    size = processes(remote)
    captured = remote.command("pool_grow", {"n": 1}, destination=["a@stage"])
    remote.publish(captured)
    eventually(lambda: processes(remote) == size + 1)
    before = remote.refusals("command-replayed")
    remote.publish(captured)
    remote.until_refused("command-replayed", before)
    assert processes(remote) == size + 1


def test_a_command_for_one_worker_does_nothing_at_another(remote: ControlStage) -> None:
    captured = remote.command("rate_limit", {"task_name": "service.add", "rate_limit": "7/m"}, destination=["a@stage"])
    remote.publish(captured)
    eventually(lambda: "service.add [rate_limit=7/m]" in remote.ask("registered"))
    assert "service.add [rate_limit=7/m]" not in remote.ask("registered", worker="b")
    changed = replace(captured, body=captured.body.replace(b"a@stage", b"b@stage"))
    before = remote.refusals("signature-invalid", "b")
    remote.publish(changed)
    remote.until_refused("signature-invalid", before, "b")
    assert "service.add [rate_limit=7/m]" not in remote.ask("registered", worker="b")
    remote.ask("rate_limit", task_name="service.add", rate_limit=None)


@pytest.mark.parametrize("owner", ["developer", "web", "worker"])
def test_a_command_of_a_key_without_the_grant(remote: ControlStage, owner: str) -> None:
    before = remote.refusals("command-not-granted")
    remote.publish(remote.command("shutdown", owner=owner))
    remote.until_refused("command-not-granted", before)


def test_who_may_only_look_can_look(remote: ControlStage) -> None:
    done = remote.celery("inspect", "ping", "--destination", "a@stage", "--timeout", "30", owner="developer")
    assert done.returncode == 0, done.stderr
    done = remote.celery("control", "shutdown", owner="developer")
    assert done.returncode != 0
    assert "may not give the command 'shutdown'" in done.stdout + done.stderr


def test_a_command_signed_as_something_else(remote: ControlStage) -> None:
    before = remote.refusals("type-mismatch")
    remote.publish(remote.command("shutdown", typ="task"))
    remote.until_refused("type-mismatch", before)
    before = remote.refusals("claims-malformed")
    remote.publish(remote.command("shutdown", hdr={"kind": "reply", "request": "x", "worker": "a@stage"}))
    remote.until_refused("claims-malformed", before)


def test_a_command_signed_for_another_place(remote: ControlStage) -> None:
    before = remote.refusals("audience-mismatch")
    remote.publish(remote.command("shutdown", aud=Audience(queue="commanded")))
    remote.until_refused("audience-mismatch", before)
    remote.publish(remote.command("shutdown", aud=Audience(exchange="other.pidbox", routing_key="")))
    remote.until_refused("audience-mismatch", before + 1)


def test_a_command_out_of_time(remote: ControlStage) -> None:
    for now, lifetime, reason in (
        (time.time() - 50, 30, "stale"),  # the operator's key is not much older
        (time.time(), 3600, "stale"),
        (time.time() - 50, 3600, "stale"),
        (time.time() + 600, 60, "not-yet-valid"),
    ):
        before = remote.refusals(reason)
        remote.publish(remote.command("shutdown", now=now, lifetime_s=lifetime))
        remote.until_refused(reason, before)


def test_a_captured_command_does_not_reach_the_worker_that_starts_anew(remote: ControlStage) -> None:
    captured = remote.command("shutdown", destination=["anew@stage"])
    time.sleep(1.1)  # times in claims are whole seconds; a worker takes longer than that to start
    with remote.worker("anew") as anew:
        eventually(lambda: remote.ping("anew"), what="an answer")
        remote.publish(captured)
        eventually(lambda: "command refused: stale (signed before this worker started" in anew.log)
        assert remote.ask("ping", "anew") == {"ok": "pong"}


def test_a_command_used_as_a_task_and_a_task_as_a_command(remote: ControlStage) -> None:
    task = Draft(
        typ="task", aud=Audience(queue="commanded"), ct="application/json", ce="utf-8", cmp=None,
        hdr={"task": "service.note", "id": "x"}, props={}, body=body_of("shutdown", {}), lifetime_s=60,
    )  # fmt: skip
    before = remote.refusals("type-mismatch")
    remote.publish(remote.seal(task))
    remote.until_refused("type-mismatch", before)
    command = remote.command("shutdown", aud=Audience(queue="commanded"), hdr={"task": "service.note", "id": "x"})
    with remote.app.connection_for_write() as connection:
        connection.Producer(auto_declare=False).publish(
            command.body, exchange="", routing_key="commanded", headers={**command.headers, "task": "service.note"},
            content_type="application/json", content_encoding="utf-8",
        )  # fmt: skip
    logs = [remote.workers[name] for name in "ab"]
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
    remote: ControlStage, method: str, arguments: dict[str, Any]
) -> None:
    before = remote.refusals("command-arguments")
    assert remote.ask(method, **arguments)["error"].startswith(f"command-arguments: {method}: ")
    remote.until_refused("command-arguments", before)


def test_a_handler_that_fails_is_an_error_reply(remote: ControlStage) -> None:
    assert "error" in remote.ask("autoscale", max=3, min=1)
    assert "error" in remote.ask("pool_restart")


@pytest.mark.parametrize("method", ["election", "no_such_command", "__class__"])
def test_an_unknown_command_is_refused(remote: ControlStage, method: str) -> None:
    before = remote.refusals("command-unknown")
    remote.publish(remote.command(method, {"id": "1", "topic": "task", "action": {"task": "service.secret"}}))
    remote.until_refused("command-unknown", before)
