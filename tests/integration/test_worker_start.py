"""A worker that would break the policy does not start: exit code, rule and fix, no traceback; however it was asked."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.unit.apps import BROKER, PASSWORD, keys_in

Start = Callable[..., subprocess.CompletedProcess[str]]
APP = "from service.factory import make_app\napp = make_app()\n"


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Start a worker of an app written down in this test; it must refuse before it connects anywhere."""

    def run(
        app: str = "", words: Sequence[str] = (), *, replace: bool = False, **env: str
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "written.py").write_text(app if replace else APP + app)
        keys = keys_in(tmp_path)
        environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(tmp_path),
            "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
            "SAFECELERY_BROKER__URL": BROKER,
            "SAFECELERY_BROKER__CA_FILE": str(tmp_path / "ca.pem"),
            "SAFECELERY_SIGNING__KEY": keys["key"],
            "SAFECELERY_SIGNING__TRUST_FILE": str(keys["trust_file"]),
            **env,
        }
        environment = {name: value for name, value in environment.items() if value}
        return subprocess.run(
            [sys.executable, "-m", "celery", "-A", "written", "worker", "--loglevel", "INFO", *words],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run


def refused(done: subprocess.CompletedProcess[str], rule: str) -> str:
    text = done.stdout + done.stderr
    assert done.returncode not in (0, None), text
    assert rule in text, text
    assert "Traceback" not in text, text
    assert PASSWORD not in text
    return text


@pytest.mark.parametrize("pool", ["threads", "solo"])
def test_a_pool_that_ignores_time_limits_by_option(start: Start, pool: str) -> None:
    text = refused(start(words=["-P", pool]), "SFC410")
    assert "does not start" in text
    assert "fix: " in text


def test_a_pool_that_ignores_time_limits_by_setting(start: Start) -> None:
    refused(start("app.conf.worker_pool = 'solo'\n"), "SFC410")


def test_a_pool_by_setting_that_the_option_seems_to_overrule(start: Start) -> None:
    """`-P prefork` gives way to the setting in celery/bin/worker.py."""
    refused(start("app.conf.worker_pool = 'threads'\n", words=["-P", "prefork"]), "SFC410")


def test_a_custom_pool_by_variable(start: Start) -> None:
    done = start(words=["-P", "custom"], CELERY_CUSTOM_WORKER_POOL="celery.concurrency.thread:TaskPool")
    refused(done, "SFC41")


def test_a_pool_class_of_ones_own(start: Start) -> None:
    code = (
        "from celery.concurrency.prefork import TaskPool\nclass Mine(TaskPool):\n    pass\n"
        "app.conf.worker_pool = 'written:Mine'\n"
    )
    refused(start(code), "SFC41")


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("app.conf.accept_content = ['json', 'yaml']", "SFC104"),
        ("app.conf.update(task_serializer='pickle')", "SFC101"),
        ("app.conf.broker_use_ssl['ssl_cert_reqs'] = 0", "SFC202"),
        ("app.conf.broker_url = 'redis://plain.example/0'", "SFC20"),
        ("app.conf.task_time_limt = 30", "SFC903"),
        ("app.conf.worker_consumer = 'celery.worker.consumer:Consumer'", "worker_consumer"),
    ],
)
def test_a_late_change_of_the_configuration(start: Start, change: str, rule: str) -> None:
    refused(start(change + "\n"), rule)


def test_a_worker_without_a_trust_store(start: Start) -> None:
    refused(start(SAFECELERY_SIGNING__TRUST_FILE=""), "SFC302")


def test_shared_tasks_that_break_the_policy(start: Start) -> None:
    code = (
        "from celery import shared_task\nfrom safecelery import create_app\n"
        "@shared_task\ndef careless():\n    pass\n"
        "@shared_task(time_limit=5)\ndef half():\n    pass\n"
        "app = create_app('written')\n"
    )
    text = refused(start(code, replace=True), "SFC401")
    assert "written.careless" in text
    assert "written.half" in text
    assert "written.py:3" in text
    assert "written.py:6" in text


def test_a_plain_broker_by_celerys_own_option(start: Start) -> None:
    """`celery --broker` sets a variable that wins over every setting; create_app refuses it."""
    done = start(CELERY_BROKER_URL="redis://plain.example/0")
    assert done.returncode != 0
    assert "SFC201" in done.stdout + done.stderr


def test_report_mode_under_a_policy_that_forbids_it(start: Start) -> None:
    done = start(SAFECELERY_FIREWALL__MODE="report", SAFECELERY_POLICY="strict")
    assert done.returncode != 0
    assert "SFC313 firewall-only-reports" in done.stderr
    assert "report mode is on for every sender" in done.stderr


def test_a_mode_that_there_is_not(start: Start) -> None:
    text = start(SAFECELERY_FIREWALL__MODE="off").stderr
    assert "firewall.mode: Input should be 'enforce' or 'report'" in text
