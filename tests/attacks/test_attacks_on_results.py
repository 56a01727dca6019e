"""Every case on results against a real worker and a real caller, on every backend it concerns."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from safecelery.testing.servers import RedisServer
from tests.attacks.results.case import Case, corpus
from tests.attacks.results.driver import play
from tests.attacks.results.stage import Stage, on_stage
from tests.attacks.results.subjects import BACKENDS

LOADED = corpus()
MARKS = {"redis": pytest.mark.redis, "rpc": pytest.mark.rabbitmq, "database": pytest.mark.redis}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    pairs = [
        pytest.param(backend, case, marks=MARKS[backend], id=f"{backend}-{case.name}")
        for backend in BACKENDS
        for case in LOADED
        if backend in case.backends
    ]
    metafunc.parametrize(("result_stage", "case"), pairs, indirect=["result_stage"], scope="module")


@pytest.fixture(scope="module")
def result_stage(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A worker and a caller that live through every case of one backend."""
    backend: str = request.param
    rabbitmq = request.getfixturevalue("rabbitmq_server") if backend == "rpc" else None
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("SAFECELERY_", "CELERY_"))]:
            patch.delenv(name)
        home = tmp_path_factory.mktemp("results")
        with on_stage("safecelery", backend, redis_server, rabbitmq, home) as stage:
            yield stage


def test_attack_on_results(result_stage: Stage, case: Case) -> None:
    worker, caller = result_stage.worker.pid, result_stage.caller.pid
    play(result_stage, case)
    assert (result_stage.worker.pid, result_stage.caller.pid) == (worker, caller), "a process was replaced"
