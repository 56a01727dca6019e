"""A key is replaced while messages flow: none is refused, none is lost, and the old key is worth nothing afterwards."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import pytest

from safecelery import create_app
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.conftest import RESULTS
from tests.integration.key_stage import KeyStage, key_stage
from tests.integration.stage import RawItem, eventually, let_go

#: Seconds, as a person would give minutes and days.
USE_IN, KEEP_OLD = 6, 15
SOME = 30


@pytest.fixture
def rotating(broker: RedisServer | RabbitServer, redis_server: RedisServer, tmp_path: Path) -> KeyStage:
    stage = key_stage(broker, redis_server, redis_server.url_for(RESULTS[type(broker)]), tmp_path)
    (tmp_path / "web-keys").mkdir(mode=0o700)
    stage.cli("generate", "web", "--days", 1, "--send", "service.*", "--queue", stage.queue, "--out", "web-keys/1.key")
    return stage


def captured(rotating: KeyStage, key: str) -> RawItem:
    """A message of the old key that somebody took off the queue and kept."""
    settings = rotating.stage.settings("worker", trust=False, signing={"key": key})
    app = create_app("web", settings, set_as_current=False)
    app.send_task("service.add", (-1, 0), queue=rotating.queue)
    let_go(app)
    (item,) = rotating.stage.take(rotating.queue)
    return item


@pytest.mark.timeout(300)
def test_a_key_rotates_while_messages_flow(rotating: KeyStage) -> None:
    directory = f"directory:{rotating.directory / 'web-keys'}"
    kept = captured(rotating, directory)
    with rotating.worker("a") as a, rotating.worker("b") as b:
        with rotating.sending(directory) as record:

            def sent() -> dict[int, str]:
                lines = record.read_text().rpartition("\n")[0].splitlines()
                return {int(number): kid for number, kid in map(str.split, lines)}

            def sent_by(kid: str) -> int:
                return Counter(sent().values())[kid]

            (old,) = rotating.owned("web")
            eventually(lambda: sent_by(old.kid) >= SOME, timeout=90, what="messages of the old key")
            words = ("--out", "web-keys", "--use-in", f"{USE_IN}s", "--keep-old", f"{KEEP_OLD}s")
            assert "Next, in this order" in rotating.cli("rotate", "web", *words)
            ending, new = rotating.owned("web")
            eventually(lambda: sent_by(new.kid) >= SOME, timeout=90, what="messages of the new key")
            eventually(lambda: time.time() > ending.expires + 1, timeout=90, what="the end of the old key")
            many = len(sent())
            eventually(lambda: len(sent()) > many + SOME, timeout=90, what="messages after that")
        signed = sent()
        eventually(lambda: len(rotating.ran()) >= len(signed), timeout=60, what="the last of the messages")

        assert Counter(rotating.ran()) == Counter(signed.keys()), "each ran once"
        assert set(signed.values()) == {old.kid, new.kid}
        assert rotating.stage.depth(rotating.dead) == 0
        for worker in (a, b):
            assert "message refused" not in worker.log
            assert f"added: {new.kid}" in worker.log
            assert "cannot be used" not in worker.log
        print(f"{len(signed)} messages: {Counter(signed.values())}, none refused")

        rotating.stage.put(rotating.queue, kept.body, kept.headers, correlation_id=kept.headers["id"])
        eventually(lambda: "message refused: key-expired " in a.log + b.log, what="the refusal of the old key")
        assert -1 not in rotating.ran()
