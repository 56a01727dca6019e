"""What ``safecelery init`` writes runs as its README says: a worker in the development profile, and a call."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RedisServer

pytestmark = pytest.mark.redis


class Room:
    """A user's directory and environment."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.env = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(home),
            "LC_ALL": "C.UTF-8",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }

    def run(self, *words: str, cwd: str = ".", check: bool = True, **env: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the user would, ``safecelery`` and ``python`` being those of this environment."""
        if words[0] == "safecelery":
            words = (sys.executable, "-m", *words)
        elif words[0] == "python":
            words = (sys.executable, *words[1:])
        done = subprocess.run(
            words, cwd=self.home / cwd, env={**self.env, **env}, capture_output=True, text=True, timeout=60, check=False
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done


@pytest.fixture
def room(tmp_private_dir: Path, redis_server: RedisServer) -> Iterator[Room]:
    """Whatever broker the test's service starts is stopped."""
    room = Room(tmp_private_dir)
    yield room
    room.run("safecelery", "broker", "stop", "shop")


def commands_of(readme: str) -> list[list[str]]:
    """The commands in the README's code blocks."""
    return [shlex.split(block) for block in re.findall(r"```\n(.*?)\n```", readme, re.DOTALL)]


def test_the_three_commands_of_its_readme_work(room: Room) -> None:
    room.run("safecelery", "init", "shop")
    worker, call, stop = commands_of((room.home / "shop" / "README.md").read_text())
    assert worker == ["celery", "-A", "shop.app", "worker"]
    with CeleryProcess("shop.app", "worker", ["-c", "1"], directory=room.home / "shop", env=room.env) as process:
        assert room.run(*call, cwd="shop").stdout == "Hello, world\n"
        assert "DEVELOPMENT profile" in process.log
    assert room.run(*stop, cwd="shop").stdout == "stopped\n"


def test_the_skeleton_keeps_its_users_from_mistakes(room: Room) -> None:
    room.run("safecelery", "init", "shop")
    tasks = room.home / "shop" / "shop" / "tasks.py"
    tasks.write_text(tasks.read_text().replace("time_limit=30, ", ""))
    done = room.run("python", "-c", "import shop.tasks", cwd="shop", check=False)
    assert done.returncode == 1
    assert "SFC401" in done.stderr
    assert "tasks.py:" in done.stderr


def test_production_needs_no_more_than_the_lines_to_fill_in(room: Room, redis_server: RedisServer) -> None:
    init = room.run("safecelery", "init", "shop", "--broker-url", redis_server.url_for(9))
    (secrets,) = re.findall(r"export SAFECELERY_SECRETS_DIR=(\S+)", init.stdout)
    settings = room.home / "shop" / "safecelery.toml"
    text = settings.read_text().replace('profile = "development"\n', "")
    settings.write_text(text + f'\n[broker]\nca_file = "{redis_server.ca_file}"\n')
    env = {**room.env, "SAFECELERY_SECRETS_DIR": secrets}
    with CeleryProcess("shop.app", "worker", ["-c", "1"], directory=room.home / "shop", env=env) as process:
        call = "from shop.tasks import greet; print(greet.delay({'to': 'world', 'times': 2}).get(timeout=50))"
        done = room.run("python", "-c", call, cwd="shop", SAFECELERY_SECRETS_DIR=secrets)
        assert done.stdout == "Hello, world world\n"
        assert "DEVELOPMENT" not in process.log + done.stderr


def test_production_without_tls_is_refused(room: Room) -> None:
    init = room.run("safecelery", "init", "shop", "--broker-url", "redis://shop:long-enough@broker.example.com/0")
    (secrets,) = re.findall(r"export SAFECELERY_SECRETS_DIR=(\S+)", init.stdout)
    done = room.run(
        "python", "-c", "import shop.app", cwd="shop", check=False,
        SAFECELERY_SECRETS_DIR=secrets, SAFECELERY_PROFILE="production",
    )  # fmt: skip
    assert done.returncode == 1
    assert "SFC201" in done.stderr
    assert "long-enough" not in done.stderr
