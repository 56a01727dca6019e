"""One real worker per broker, shared by every test that only sends it work."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where worker processes, and we, find `service`

from service.factory import make_app

from safecelery import SafeCelery, create_app
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import CertificateAuthority, RabbitServer, RedisServer
from tests.integration import extra_tasks  # noqa: F401  # registers shared tasks
from tests.integration.control_stage import ControlStage, on_control_stage
from tests.integration.dlq_stage import Desk
from tests.integration.lint_process import LintedProject
from tests.integration.stage import IDLE, Identities, Stage, eventually, let_go

#: Result databases, so that no stage sees another's results.
RESULTS = {RedisServer: 1, RabbitServer: 2}


@pytest.fixture(scope="session", autouse=True)
def no_settings_from_outside() -> Iterator[None]:
    """Variables of whoever runs the tests do not reach them."""
    taken = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith(("SAFECELERY_", "CELERY_"))}
    yield
    os.environ.update(taken)


@pytest.fixture(scope="module")
def own_redis_server(servers_dir: Path, ca: CertificateAuthority) -> Iterator[RedisServer]:
    """A server that one file of tests has for itself: nobody else gives it commands, or minds what is done to it."""
    with RedisServer(servers_dir, ca) as server:
        yield server


@pytest.fixture(scope="session")
def bare_stage(
    broker: RedisServer | RabbitServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Stage:
    """Broker, keys and directories; no worker runs."""
    directory = tmp_path_factory.mktemp("stage")
    keys = Identities(directory)
    keys.add("worker", send=["service.*"], queues=["celery", "extra", "idle"], results=["*"])
    keys.add("producer", send=["service.*"], queues=["celery", "extra", "idle"], control=["*"])
    keys.add("operator", send=["service.*"], queues=["celery", "extra", "idle"])
    keys.add("clerk", send=["service.note"], queues=["celery"])
    keys.add("reporting", send=["service.*"], queues=["reported"], results=["*"])
    keys.add("beat", send=["service.*"], queues=["celery", "idle"])
    witness = directory / "witness.jsonl"
    witness.touch()
    return Stage(broker, redis_server, redis_server.url_for(RESULTS[type(broker)]), keys, directory, witness)


@pytest.fixture(scope="session")
def stage(bare_stage: Stage) -> Iterator[Stage]:
    """The service's worker runs, and ``app`` sends with the producer's key."""
    bare_stage.worker = CeleryProcess(
        "service.app",
        "worker",
        ["-c", "2", "-Q", "celery,extra", "-I", "tests.integration.extra_tasks"],
        directory=bare_stage.directory,
        env=bare_stage.environment("worker"),
    )
    bare_stage.app = make_app(bare_stage.settings("producer"))
    with bare_stage.worker:
        yield bare_stage
    let_go(bare_stage.app)


@pytest.fixture(autouse=True)
def nothing_waits_on_the_idle_queue(request: pytest.FixtureRequest) -> None:
    """Tests that only send leave their messages there, and those that look at it expect theirs alone."""
    if "bare_stage" in request.fixturenames:
        request.getfixturevalue("bare_stage").take(IDLE)


@pytest.fixture
def producer(stage: Stage) -> Iterator[SafeCelery]:
    """A service that only sends: a key, no trust file, no task code."""
    app = create_app("producer", stage.settings("producer", trust=False), set_as_current=False)
    yield app
    let_go(app)


@pytest.fixture(scope="session")
def remote(
    broker: RedisServer | RabbitServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlStage]:
    """Two workers that take remote commands of those who may give them."""
    with on_control_stage(broker, redis_server, tmp_path_factory.mktemp("control")) as stage:
        yield stage


@pytest.fixture
def both_still_run(remote: ControlStage) -> Iterator[None]:
    """After the test the same two workers still answer."""
    pids = {name: worker.pid for name, worker in remote.workers.items()}
    yield
    eventually(lambda: remote.ping("a", "b") == ["a@stage", "b@stage"], what="an answer of both workers")
    assert {name: worker.pid for name, worker in remote.workers.items() if worker.running} == pids


@pytest.fixture
def linted(tmp_path: Path) -> LintedProject:
    """An empty project to lint in processes of their own."""
    return LintedProject(tmp_path)


@pytest.fixture
def desk(stage: Stage, tmp_path: Path) -> Desk:
    """``safecelery dlq``, and no dead letters."""
    desk = Desk(stage, tmp_path)
    desk.empty()
    return desk
