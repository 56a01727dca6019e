"""The trust file changes under a running worker: keys are revoked within seconds, and a broken file changes nothing."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from safecelery import SafeCelery
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.conftest import RESULTS
from tests.integration.key_stage import KeyStage, key_stage
from tests.integration.stage import RawItem, eventually

OWNERS = ("web", "ops")


@dataclass
class Served:
    """A worker, and two services that send to it."""

    keys: KeyStage
    worker: CeleryProcess
    apps: dict[str, SafeCelery]
    pid: int
    text: str
    """The trust file as it was at the start."""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def send(self, owner: str) -> int:
        number = next(self.numbers)
        self.apps[owner].send_task("service.add", (number, 0), queue=self.keys.queue, ignore_result=True)
        return number

    def runs(self, owner: str) -> None:
        """What this owner sends now runs, on the same worker as ever."""
        number = self.send(owner)
        eventually(lambda: number in self.keys.ran(), what=f"task {number} of {owner}")
        assert self.worker.pid == self.pid
        assert self.worker.running

    def until_runs(self, owner: str) -> None:
        """Send until a message runs: a new trust file holds within a second or so."""
        sent: set[int] = set()

        def tried() -> bool:
            sent.add(self.send(owner))
            time.sleep(0.05)
            return bool(sent & set(self.keys.ran()))

        eventually(tried, what=f"a task of {owner}")

    def said(self, text: str) -> int:
        return self.worker.log.count(text)

    def refused(self, reason: str) -> int:
        return self.said(f"message refused: {reason} ")

    def until_refused(self, owner: str, reason: str) -> float:
        """Send until a message is refused; the seconds that it took."""
        start, before = time.monotonic(), self.refused(reason)

        def tried() -> bool:
            self.send(owner)
            time.sleep(0.05)
            return self.refused(reason) > before

        eventually(tried, what=f"a refusal as {reason}")
        return time.monotonic() - start


@pytest.fixture(scope="module")
def running(
    broker: RedisServer | RabbitServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("reload")
    keys = key_stage(broker, redis_server, redis_server.url_for(RESULTS[type(broker)]), directory, *OWNERS)
    with keys.worker("one") as worker, keys.sender("web") as web, keys.sender("ops") as ops:
        yield Served(keys, worker, {"web": web, "ops": ops}, worker.pid, keys.trust.read_text())


@pytest.fixture
def served(running: Served) -> Iterator[Served]:
    """All keys are believed, before and after."""
    yield running
    running.keys.new_text(running.text)
    for owner in OWNERS:
        running.until_runs(owner)


def kid_of(served: Served, owner: str) -> str:
    (key,) = served.keys.owned(owner)
    return key.kid


def test_a_revoked_key_is_refused_within_seconds_and_the_others_go_on(served: Served) -> None:
    served.keys.cli("revoke", kid_of(served, "web"))
    print(f"\nrevoked key refused after {served.until_refused('web', 'key-revoked'):.2f} s")
    eventually(lambda: served.keys.stage.depth(served.keys.queue) == 0, what="an empty queue")
    numbers = [served.send("web") for _ in range(5)]
    served.runs("ops")
    eventually(lambda: served.keys.stage.depth(served.keys.dead) >= 6, what="dead letters")
    assert not set(numbers) & set(served.keys.ran()), "from then on, none runs"
    assert served.said(f"revoked: {kid_of(served, 'web')}") >= 1
    served.keys.new_text(served.text)
    served.until_runs("web")


def test_an_idle_worker_sees_a_revocation_before_the_next_message(served: Served) -> None:
    kid = kid_of(served, "web")
    before = served.said(f"revoked: {kid}")
    start = time.monotonic()
    served.keys.cli("revoke", kid)
    eventually(lambda: served.said(f"revoked: {kid}") > before, what="a look without a message")
    print(f"\nan idle worker saw it {time.monotonic() - start:.2f} s after the command was given")
    refused, number = served.refused("key-revoked"), served.send("web")
    eventually(lambda: served.refused("key-revoked") > refused, what="the refusal")
    assert number not in served.keys.ran()


def test_a_message_that_was_captured_before_is_refused_after_the_revocation(served: Served) -> None:
    kept = capture(served)
    served.keys.cli("revoke", kid_of(served, "web"))
    served.until_refused("web", "key-revoked")
    before = served.refused("key-revoked")
    served.keys.stage.put(served.keys.queue, kept.body, kept.headers, correlation_id=kept.headers["id"])
    eventually(lambda: served.refused("key-revoked") > before, what="the refusal")
    served.runs("ops")  # behind it: whatever was to become of it has
    assert -1 not in served.keys.ran()


def capture(served: Served) -> RawItem:
    """A genuine message of ``web`` that never ran. (The key is judged before the queue is.)"""
    app, held = served.apps["web"], f"{served.keys.queue}.held"
    app.send_task("service.add", (-1, 0), queue=held, ignore_result=True)
    (item,) = served.keys.stage.take(held)
    return item


@pytest.mark.parametrize("fault", ["garbage", "empty", "gone", "group-writable", "half"])
def test_a_trust_file_that_cannot_be_used_leaves_the_last_good_one(served: Served, fault: str) -> None:
    trust, before = served.keys.trust, served.said("trust file cannot be used as it is now")
    if fault == "group-writable":
        trust.chmod(0o664)
    elif fault == "gone":
        trust.unlink()
    else:
        served.keys.new_text({"garbage": "\0", "empty": "", "half": served.text[: len(served.text) // 2]}[fault])
    eventually(lambda: served.said("trust file cannot be used as it is now") > before, what="the error in the log")
    for owner in OWNERS:
        served.runs(owner)
    refused = served.refused("key-revoked")
    if fault == "group-writable":
        # What somebody of the group writes does not hold either.
        trust.write_text(served.text.replace("scheme =", "revoked = true\nscheme ="))
        for _ in range(20):
            served.runs("web")
            time.sleep(0.1)
    assert served.refused("key-revoked") == refused
    mended = served.said("can be used again")
    served.keys.new_text(served.text + "\n# mended\n")
    eventually(lambda: served.said("can be used again") > mended, what="the end of it in the log")
    served.keys.cli("revoke", kid_of(served, "web"))
    served.until_refused("web", "key-revoked")
