"""One stage per broker, for all cases."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # where worker processes, and we, find `service`

from safecelery.testing.servers import RabbitServer, RedisServer
from tests.attacks.stage import Stage, on_stage
from tests.attacks.subjects import SUBJECTS


@pytest.fixture(scope="module")  # gone before other suites ask who is on the broker
def attack_stage(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """A worker that serves every case of one broker: the parameter names the broker's fixture."""
    broker: RedisServer | RabbitServer = request.getfixturevalue(request.param)
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("SAFECELERY_", "CELERY_"))]:
            patch.delenv(name)
        with on_stage(SUBJECTS["safecelery"], broker, redis_server, tmp_path_factory.mktemp("attacks")) as stage:
            yield stage
