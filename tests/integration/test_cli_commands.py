"""Commands that need a real server or the installed package."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from click.testing import CliRunner

from safecelery.brokers.embedded import EmbeddedRedis
from safecelery.cli.main import safecelery
from safecelery.testing.servers import RedisServer
from tests.conftest import missing


@pytest.mark.redis
def test_the_development_broker_starts_shows_and_stops(
    tmp_private_dir: Path, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAFECELERY_STATE_DIR", str(tmp_private_dir))

    def broker(action: str) -> tuple[int, str]:
        result = CliRunner().invoke(safecelery, ["broker", action, "shop"])
        return result.exit_code, result.output

    redis = EmbeddedRedis(tmp_private_dir)
    try:
        assert broker("status")[0] == 1
        code, said = broker("start")
        where = f"pid {redis.pid}, redis+socket://{tmp_private_dir}/redis.sock\n"
        assert (code, said) == (0, f"started: {where}")
        assert broker("start") == (0, f"already running: {where}")
        assert broker("status") == (0, f"running: {where}")
        assert broker("stop") == (0, "stopped\n")
        assert broker("status")[0] == 1
    finally:
        redis.stop()


def test_it_is_a_command_of_celery_too() -> None:
    if not [entry for entry in entry_points(group="celery.commands") if entry.name == "safecelery"]:
        missing("safecelery is not installed, so Celery cannot find its command: pip install -e .")

    def celery(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "celery", "safecelery", *words],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    assert celery("version").stdout.startswith("safecelery ")
    refused = celery("keys", "list", "--trust", "nowhere.toml")
    assert refused.returncode == 2
    assert refused.stderr.startswith("error: trust store nowhere.toml")
