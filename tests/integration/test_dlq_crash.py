"""Whatever dies, and whenever: a refused message is in its queue or a letter, a letter in its queue or a file."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safecelery.message.dead_letter import read_letter
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RedisServer
from tests.integration.dlq_stage import DEAD, Desk, expired, until_completed
from tests.integration.stage import Stage, eventually


def worker(stage: Stage, home: Path, queue: str, app: str = "service.app", **env: str) -> CeleryProcess:
    return CeleryProcess(
        app, "worker", ["-c", "1", "-Q", queue, "-n", f"{queue}@%h"], directory=home, name=queue,
        env={**stage.environment("worker"), **env},
    )  # fmt: skip


def hand_out_again(stage: Stage, queue: str) -> None:
    """Let Redis' visibility timeout pass: what is unacknowledged is due. RabbitMQ knows when a connection ends."""
    if stage.on_redis:
        since = f"safecelery:since:{queue}"  # of no other: another test's messages must not come back in this one
        with stage.admin() as client:
            if tags := client.zrange(since, 0, -1):
                client.zadd(since, dict.fromkeys(tags, 0))


@pytest.mark.parametrize("step", ["before-publish", "before-ack", "after-ack"])
def test_no_message_is_lost_when_the_worker_is_killed(stage: Stage, tmp_path: Path, step: str) -> None:
    queue = dead = f"dying-{step}"
    dead += ".dead"
    env = {"DIE_AT": step, "DIE_ONCE": str(tmp_path / "died"), "SAFECELERY_DEAD_LETTER_QUEUE": dead}
    first = worker(stage, tmp_path, queue, "tests.integration.dying_app", **env)
    bodies = {json.dumps([[number], {}, {}]).encode() for number in range(5)}
    with first:
        for body in bodies:
            stage.put(queue, body, {"task": "service.add", "id": "x"})
        eventually(lambda: not first.running, what="the worker's death")
    assert (tmp_path / "died").exists()
    hand_out_again(stage, queue)
    kept: list[bytes] = []

    def all_there() -> bool:
        kept.extend(read_letter(item.body).original.body for item in stage.take(dead))
        return bodies <= set(kept)

    with worker(stage, tmp_path, queue, "tests.integration.dying_app", **env):
        eventually(all_there, timeout=60, what="a dead letter of each message")
        eventually(lambda: stage.depth(queue) == 0, what="an empty queue")
    all_there()
    assert len(kept) <= len(bodies) + 1, "only the one that it died over may be there twice"


def broken(stage: Stage, name: str) -> Callable[[], Any]:
    """Make the dead-letter queue unusable; returns what mends it."""
    if isinstance(stage.broker, RedisServer):
        user = stage.broker.username

        def may_push(sign: str) -> None:
            with stage.admin() as client:
                client.execute_command("ACL", "SETUSER", user, f"{sign}lpush")

        may_push("-")
        return lambda: may_push("+")
    connection = stage.app.connection_for_write()
    channel: Any = connection.channel()
    channel.queue_declare(name, durable=True, auto_delete=False, arguments={"x-max-length": 5})

    def mend_rabbitmq() -> None:
        channel.queue_delete(name)
        connection.release()

    return mend_rabbitmq


def test_while_letters_cannot_be_kept_the_worker_waits_and_keeps_the_originals(stage: Stage, tmp_path: Path) -> None:
    queue, dead = "stuck", "stuck.dead"
    mend = broken(stage, dead)
    process = worker(stage, tmp_path, queue, SAFECELERY_DEAD_LETTER_QUEUE=dead)
    with process:
        for number in range(3):
            body = json.dumps([[number], {}, {}]).encode()
            stage.put(queue, body, {"task": "service.add", "id": "x"}, by_administrator=True)
        eventually(lambda: process.log.count("dead letters cannot be kept") >= 3, what="three attempts")
        assert process.running
        assert "Traceback" not in process.log
        assert "refused messages stay unacknowledged" in process.log
        assert "message refused" not in process.log
        # A deleted, or mended, queue is declared anew.
        mend()
        eventually(lambda: process.log.count("message refused: envelope-missing") == 3, what="all letters kept")
        # Attempts are 1, 2, 4 ... seconds apart: however long it took, there were few.
        assert process.log.count("dead letters cannot be kept") < 12
    assert len(stage.take(dead)) == 3
    assert stage.depth(queue) == 0


def test_a_deleted_queue_loses_no_letter(stage: Stage, tmp_path: Path) -> None:
    """RabbitMQ confirms what goes nowhere; the worker asks for more than that."""
    queue, dead = "gone", "gone.dead"
    process = worker(stage, tmp_path, queue, SAFECELERY_DEAD_LETTER_QUEUE=dead)
    with process:
        stage.put(queue, b"1", {})
        eventually(lambda: process.log.count("message refused") == 1)
        assert len(stage.take(dead)) == 1
        if not stage.on_redis:
            with stage.app.connection_for_write() as connection:
                connection.default_channel.queue_delete(dead)
        stage.put(queue, b"2", {})
        eventually(lambda: process.log.count("message refused") == 2)
        assert [read_letter(item.body).original.body for item in stage.take(dead)] == [b"2"]


#: Runs the command line with one of its steps replaced by a kill.
DYING = """
import os, signal
def die(*args, **kwargs): os.kill(os.getpid(), signal.SIGKILL)
{patch}
from safecelery.cli.main import main
main()
"""
REMOVE = "from safecelery.brokers.browse.{kind} import {cls} as B; B.remove = B.remove_all = die"


def at_removal(stage: Stage) -> str:
    kind, cls = ("redis", "RedisBrowser") if stage.on_redis else ("rabbitmq", "RabbitMQBrowser")
    return DYING.format(patch=REMOVE.format(kind=kind, cls=cls))


def test_a_replay_killed_before_the_letter_is_removed_can_be_repeated(stage: Stage, desk: Desk) -> None:
    """At least once: the letter is still there, and its message has the same id, so that a ledger lets one run."""
    expired(stage, "service.add", 41_001, 1)
    desk.until(1)
    desk.run("replay", "--yes", program=at_removal(stage), status=-signal.SIGKILL)
    eventually(lambda: stage.witnesses("add", x=41_001), what="the message was out")
    until_completed(stage, desk.book[0]["by"], desk.book[0]["jti"])
    desk.until(1)
    desk.run("replay", "--yes")
    desk.until(1)
    (again,) = stage.take(DEAD)
    assert read_letter(again.body).reason == "replayed"
    assert len(stage.witnesses("add", x=41_001)) == 1
    intents = [line["jti"] for line in desk.book if line["event"] == "replaying"]
    assert len(intents) == 2
    assert len(set(intents)) == 1


def test_a_replay_killed_before_the_message_is_out_sent_nothing(stage: Stage, desk: Desk) -> None:
    expired(stage, "service.add", 41_002, 1)
    desk.until(1)
    patch = "import safecelery.runtime.dead_letters.replay as r; r.Producer.publish = die"
    desk.run("replay", "--yes", program=DYING.format(patch=patch), status=-signal.SIGKILL)
    desk.until(1)
    assert stage.witnesses("add", x=41_002) == []
    assert [line["event"] for line in desk.book] == ["replaying"]


@pytest.mark.parametrize("step", ["fsync", "removal"])
def test_an_export_that_is_killed_has_the_letters_in_queue_or_file(stage: Stage, desk: Desk, step: str) -> None:
    expired(stage, "service.add", 1, 1)
    desk.until(1)
    program = at_removal(stage) if step == "removal" else DYING.format(patch="os.fsync = die")
    desk.run("export", "e.jsonl", "--remove", program=program, status=-signal.SIGKILL)
    assert (desk.home / "e.jsonl").exists() is (step == "removal")
    desk.until(1)


def test_a_purge_that_is_killed_leaves_whole_letters(stage: Stage, desk: Desk) -> None:
    for number in range(3):
        expired(stage, "service.add", number, 1)
    desk.until(3)
    desk.run("purge", "--yes", program=at_removal(stage), status=-signal.SIGKILL)
    desk.until(3)
    assert {letter["reason"] for letter in desk.listed()} == {"stale"}
