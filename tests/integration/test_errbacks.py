"""Whatever an errback does, the worker's main process goes on consuming."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from celery.exceptions import TimeLimitExceeded

from safecelery import SafeCelery
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RedisServer
from tests.integration.errback_app import make
from tests.integration.stage import TIMEOUT, Identities, Stage, eventually, let_go

DATABASE = 27


@dataclass
class Run:
    """A worker and an app that sends to it."""

    app: SafeCelery
    worker: CeleryProcess

    def stuck(self, *errbacks: object) -> str:
        """The id of a task that reached its hard limit."""
        sent = self.app.tasks["service.stuck"].apply_async(link_error=list(errbacks))
        with pytest.raises(TimeLimitExceeded):
            sent.get(timeout=TIMEOUT)
        return str(sent.id)

    def works(self) -> bool:
        return bool(self.app.tasks["service.one"].delay().get(timeout=TIMEOUT) == 1)


@contextmanager
def running(redis_server: RedisServer, directory: Path, queue: str) -> Iterator[Run]:
    keys = Identities(directory)
    for owner in ("worker", "producer"):
        keys.add(owner, send=["service.*"], queues=["*"], results=["service.*"])
    url = redis_server.url_for(DATABASE)
    stage = Stage(redis_server, redis_server, url, keys, directory, directory / "witness.jsonl")
    worker = CeleryProcess(
        "tests.integration.errback_app", "worker", ["-c", "1", "-Q", queue], directory=directory,
        env={**stage.environment("worker"), "QUEUE": queue},
    )  # fmt: skip
    stage.app = make(stage.settings("producer"), queue)
    with worker:
        yield Run(stage.app, worker)
    let_go(stage.app)


@pytest.fixture(scope="module")
def run(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with running(redis_server, tmp_path_factory.mktemp("errbacks"), "errbacks") as ready:
        yield ready


def test_one_that_takes_long_after_a_hard_limit_keeps_nobody_waiting(run: Run, tmp_path: Path) -> None:
    go = tmp_path / "go"
    task_id = run.stuck(run.app.tasks["service.waits"].s(path=str(go)))
    eventually(lambda: Path(f"{go}.begun").exists(), what="the errback's beginning")
    assert run.works()
    go.touch()
    assert eventually(lambda: Path(f"{go}.done").exists() and Path(f"{go}.done").read_text()) == (
        f"{task_id} TimeLimitExceeded"
    )


def test_one_that_exits_ends_nobody(run: Run) -> None:
    task_id = run.stuck(run.app.tasks["service.exits"].s())
    eventually(lambda: f"an errback of task {task_id} failed" in run.worker.log, what="a line in the log")
    assert run.works()
    assert run.worker.running


def test_one_of_one_parameter_is_sent_as_ever(run: Run, tmp_path: Path) -> None:
    told = tmp_path / "told"
    task_id = run.stuck(run.app.tasks["service.exits"].s(), run.app.tasks["service.sent"].s(str(told)))
    assert eventually(lambda: told.exists() and told.read_text()) == task_id


def test_a_worker_that_stops_lets_them_finish(redis_server: RedisServer, tmp_path: Path) -> None:
    go = tmp_path / "go"
    with running(redis_server, tmp_path, "last-errbacks") as own:
        own.stuck(own.app.tasks["service.waits"].s(path=str(go)))
        eventually(lambda: Path(f"{go}.begun").exists(), what="the errback's beginning")
        go.touch()
        own.worker.stop()
        assert Path(f"{go}.done").exists()
