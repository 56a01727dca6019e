"""Remote control through real workers: honest commands work as ever, and their answers hold no secret."""

from __future__ import annotations

import json

import pytest

from safecelery.testing.servers import RabbitServer
from tests.integration.control_stage import ControlStage, processes
from tests.integration.stage import TIMEOUT, eventually

pytestmark = pytest.mark.usefixtures("both_still_run")


# Honest use -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["ping", "active", "conf", "stats", "registered", "report", "active_queues"])
def test_inspect_on_the_command_line(remote: ControlStage, command: str) -> None:
    done = remote.celery("inspect", command, "--json", "--timeout", "30", "--destination", "a@stage,b@stage")
    assert done.returncode == 0, done.stderr
    replies = json.loads(done.stdout.splitlines()[-1])
    assert sorted(replies) == ["a@stage", "b@stage"]
    if command == "ping":
        assert replies["a@stage"] == {"ok": "pong"}
    if command == "registered":
        assert any(line.startswith("service.add") for line in replies["a@stage"])
    if command == "stats":
        assert replies["a@stage"]["pool"]["max-concurrency"] == 1


def test_status_on_the_command_line(remote: ControlStage) -> None:
    done = remote.celery("status", "--timeout", "30", "--destination", "a@stage,b@stage")
    assert done.returncode == 0, done.stderr
    assert "a@stage" in done.stdout
    assert "2 nodes online" in done.stdout


def test_control_on_the_command_line(remote: ControlStage) -> None:
    words = ("--json", "--timeout", "30", "--destination", "a@stage")
    done = remote.celery("control", *words, "rate_limit", "service.add", "100/m")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [{"a@stage": {"ok": "new rate limit set successfully"}}]
    assert "command rate_limit, given by key operator-" in remote.workers["a"].log
    assert remote.ask("rate_limit", task_name="service.add", rate_limit=None) == {
        "ok": "rate limit disabled successfully"
    }
    done = remote.celery("control", *words, "revoke", "some-id", "other-id")
    assert done.returncode == 0, done.stderr
    assert set(remote.ask("revoked")) >= {"some-id", "other-id"}


def test_shutdown_on_the_command_line(remote: ControlStage) -> None:
    with remote.worker("leaving") as leaving:
        eventually(lambda: remote.ping("leaving"), what="an answer")
        done = remote.celery("control", "shutdown", "--destination", "leaving@stage", "--timeout", "0.1")
        assert "Traceback" not in done.stderr
        eventually(lambda: not leaving.running, what="the end of the worker")
        assert "command shutdown, given by key operator-" in leaving.log


def test_commands_of_the_api_do_what_they_say(remote: ControlStage) -> None:
    control = remote.app.control
    assert remote.ask("time_limit", task_name="service.add", hard=19, soft=14) == {"ok": "time limits set successfully"}
    size = processes(remote)
    assert remote.ask("pool_grow", n=1) == {"ok": "pool will grow"}
    eventually(lambda: processes(remote) == size + 1)
    assert remote.ask("pool_shrink", n=1) == {"ok": "pool will shrink"}
    eventually(lambda: processes(remote) == size, what="the end of the process")  # the next test does not count it
    assert remote.ask("pool_shrink", n=size + 1) == {"error": "the pool keeps at least one process"}
    assert control.enable_events(destination=["a@stage"], reply=True, timeout=TIMEOUT)[0]["a@stage"]["ok"]
    assert control.disable_events(destination=["a@stage"], reply=True, timeout=TIMEOUT)[0]["a@stage"]["ok"]
    assert control.inspect(["a@stage"], timeout=TIMEOUT).query_task("nothing") == {"a@stage": {}}
    # Nobody knows how many a pattern fits, so whoever asks waits for the whole time.
    fitting = control.inspect(pattern="b@*", matcher="glob", timeout=3)
    eventually(lambda: list(fitting.ping() or ()) == ["b@stage"], what="an answer of b alone")


def test_a_queue_is_added_and_taken_away(remote: ControlStage) -> None:
    def reads(queue: str) -> bool:
        return queue in {entry["name"] for entry in remote.ask("active_queues")}

    assert remote.ask("add_consumer", queue="one-more") == {"ok": "add consumer one-more"}
    eventually(lambda: reads("one-more"))
    assert remote.ask("cancel_consumer", queue="one-more") == {"ok": "no longer consuming from one-more"}
    eventually(lambda: not reads("one-more"))
    assert "error" in remote.ask("add_consumer", queue="safecelery.dead-letters")
    if isinstance(remote.broker, RabbitServer):
        answer = remote.ask("add_consumer", queue="otherwise", exchange="celeryev", exchange_type="direct")
        assert "error" in answer  # the broker knows celeryev as another type; the worker's connection is none the worse
        assert not reads("otherwise")


def test_replies_hold_no_secret(remote: ControlStage) -> None:
    secret = remote.url.partition("://")[2].rpartition("@")[0].partition(":")[2]
    assert len(secret) > 6
    for command in ("conf", "report", "stats"):
        for arguments in ({}, {"with_defaults": True}) if command == "conf" else ({},):
            assert secret not in json.dumps(remote.ask(command, **arguments)), command
    assert remote.ask("conf")["broker_url"].startswith(remote.url.partition("://")[0])
