"""Encrypted tasks between real processes: every scheme, rotation, adoption, and dead letters nobody here can read."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from safecelery import SafeCelery, SealError, create_app
from safecelery.keys.encryption.schemes import ENCRYPTION_SCHEMES
from safecelery.message.dead_letter import read_letter
from safecelery.message.encrypted import ENCRYPTED
from safecelery.runtime.dead_letters.book import ReplayBook
from safecelery.runtime.dead_letters.replay import Allowed, Replayer
from safecelery.runtime.dead_letters.stream import open_letters
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.integration.canary_stage import add_encryption, shows
from tests.integration.encrypted_app import make
from tests.integration.stage import Identities, Stage, eventually, let_go

DATABASE = {RedisServer: 23, RabbitServer: 24}


class Office:
    """A queue of its own, its keys, and processes that come and go."""

    def __init__(self, broker: Any, redis_server: RedisServer, directory: Path) -> None:
        self.queue = f"office-{secrets.token_hex(3)}"
        self.dead = f"dead-{self.queue}"
        keys = Identities(directory)
        for owner in ("worker", "producer", "operator"):
            keys.add(owner, send=["service.*"], queues=["*"], control=["*"])
        (directory / "witness.jsonl").touch()
        url = redis_server.url_for(DATABASE[type(broker)])
        self.stage = Stage(broker, redis_server, url, keys, directory, directory / "witness.jsonl")

    def settings(self, owner: str, **more: Any) -> Any:
        return self.stage.settings(owner, default_queue=self.queue, dead_letter_queue=self.dead, **more)

    @contextlib.contextmanager
    def app(self, owner: str = "producer", **more: Any) -> Iterator[SafeCelery]:
        """A process with the tasks' code (this one)."""
        app = make(self.settings(owner, **more))
        try:
            yield app
        finally:
            let_go(app)

    @contextlib.contextmanager
    def worker(self, reading: str, **more: str) -> Iterator[CeleryProcess]:
        """A worker that reads with these keys."""
        environment = {
            **self.stage.environment("worker"), "SAFECELERY_ENCRYPTION__KEYS": reading,
            "SAFECELERY_DEFAULT_QUEUE": self.queue, "SAFECELERY_DEAD_LETTER_QUEUE": self.dead, **more,
        }  # fmt: skip
        process = CeleryProcess(
            "tests.integration.encrypted_app", "worker", ["-c", "1", "-Q", self.queue],
            directory=self.stage.directory, env=environment, name=f"{self.queue}-{secrets.token_hex(2)}",
        )  # fmt: skip
        with process:
            yield process

    def until(self, text: str, task: str = "hide") -> None:
        eventually(lambda: self.stage.witnesses(task, text=text), timeout=60, what=f"a run with {text}")

    def until_dead(self, count: int = 1) -> None:
        eventually(lambda: self.stage.depth(self.dead) >= count, timeout=60, what=f"{count} dead letters")


@pytest.fixture
def office(broker: RedisServer | RabbitServer, redis_server: RedisServer, tmp_path: Path) -> Office:
    return Office(broker, redis_server, tmp_path)


def test_every_scheme_carries_a_task(office: Office) -> None:
    for scheme in ENCRYPTION_SCHEMES:
        office.stage.keys.entries = [entry for entry in office.stage.keys.entries if "[encryption" not in entry]
        reading = add_encryption(office.stage.keys, scheme, scheme, queues=[office.queue])
        text = f"{scheme}-{secrets.token_hex(8)}"
        with office.app() as app:
            app.tasks["service.hide"].delay(text)
            (item,) = office.stage.take(office.queue)
            assert not shows(item.body, text)
            assert item.content_type == ENCRYPTED[0]
            assert {"argsrepr", "kwargsrepr"}.isdisjoint(item.headers)
            with office.worker(reading):
                app.tasks["service.hide"].apply_async((text,), compression="gzip")
                office.until(text)


def test_a_sender_without_the_code_encrypts_what_its_settings_name(office: Office) -> None:
    reading = add_encryption(office.stage.keys, "office", queues=[office.queue])
    app = create_app("sender", office.settings("producer", encryption={"tasks": ("service.hi*",)}))
    with office.worker(reading):
        app.send_task("service.hide", ("by name",))
        office.until("by name")
    let_go(app)


def test_without_a_key_for_the_queue_nothing_is_sent(office: Office) -> None:
    add_encryption(office.stage.keys, "office", queues=["another"])
    with office.app() as app:
        with pytest.raises(SealError, match=f"queue '{office.queue}'.*keys generate"):
            app.tasks["service.hide"].delay("x")
        with pytest.raises(SealError, match=r"[Nn]othing was sent"):
            app.tasks["service.open"].apply_async(("x",), link=app.tasks["service.hide"].si("x"))
        app.tasks["service.open"].delay("plain ones are as ever")
        (item,) = office.stage.take(office.queue)
        assert shows(item.body, "as ever")


def test_a_key_is_rotated_while_the_worker_runs(office: Office) -> None:
    keys = office.stage.keys
    directory = keys.directory / "reading"
    directory.mkdir()

    def key(owner: str) -> None:
        path = Path(add_encryption(keys, owner, queues=[office.queue]).removeprefix("file:"))
        path.rename(directory / path.name)

    key("old")
    with office.worker(f"directory:{directory}") as worker:
        with office.app() as app:
            app.tasks["service.hide"].delay("to the old one")
            office.until("to the old one")
        key("new")  # the readers have it before any sender does: one and the same moment here
        with office.app() as app:
            app.tasks["service.hide"].delay("to both")
            office.until("to both")
        keys.entries = [entry for entry in keys.entries if '"old-' not in entry]
        keys.publish("\n".join(keys.entries))
        (directory / next(path.name for path in directory.iterdir() if path.name.startswith("old-"))).unlink()
        with office.app() as app:
            app.tasks["service.hide"].delay("to the new one")
            office.until("to the new one")
        assert "message refused" not in worker.log


def test_adoption_needs_no_flag_day(office: Office) -> None:
    """Readers get the key, senders encrypt one after the other, and only then it is enforced."""
    reading = add_encryption(office.stage.keys, "office", queues=[office.queue])
    late = create_app("late", office.settings("producer"))
    with office.worker(reading, SAFECELERY_ENCRYPTION__MODE="report") as worker:
        late.send_task("service.hide", ("not yet",))
        office.until("not yet")
        eventually(lambda: "message would be refused: not-encrypted " in worker.log, what="the report")
        assert "REPORT MODE of encryption" in worker.log
        with office.app() as app:
            app.tasks["service.hide"].delay("already")
            office.until("already")
        assert worker.log.count("would be refused") == 1
    with office.worker(reading):
        late.send_task("service.hide", ("too late",))
        office.until_dead()
    assert not office.stage.witnesses("hide", text="too late")
    (letter,) = office.stage.take(office.dead)
    assert read_letter(letter.body).reason == "not-encrypted"
    let_go(late)


def test_a_letter_is_sent_again_by_an_operator_who_cannot_read_it(office: Office, tmp_path: Path) -> None:
    keys = office.stage.keys
    reading = add_encryption(keys, "office", queues=[office.queue])
    other = add_encryption(keys, "other", queues=["elsewhere"])
    text = f"secret-{secrets.token_hex(8)}"
    with office.worker(other):
        with office.app() as app:
            app.tasks["service.hide"].delay(text)
        office.until_dead()
    with office.app("operator") as app, open_letters(app) as letters:
        entries = list(letters.walk())
        assert [entry.reason for entry in entries] == ["undecryptable"]
        assert not shows(json.dumps([repr(entry) for entry in entries]).encode(), text)
        replayer = Replayer(app, None, Allowed(), ReplayBook(tmp_path / "book.jsonl"))
        plan = replayer.plan(entries[0])
        assert plan.why_not == ""
        with app.connection_for_write() as connection:
            replayer.send(plan, connection)
    with office.worker(reading):
        office.until(text)
