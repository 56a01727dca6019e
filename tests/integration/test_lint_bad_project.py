"""One bad project for each family of rules: everything in it that the linter promises to find is found.

docs/lint-coverage.md lists the promises; a test holds the two together.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from safecelery.lint.config import LintConfig
from safecelery.lint.engine import lint
from safecelery.policy.rules import BY_CODE
from tests.integration.bad_messages import DELIVERY, LIMITS, SERIALIZATION, SIGNING, TRANSPORT
from tests.integration.bad_work import OPERATIONS, RESULTS, RETRIES, TASK_CODE

DOCUMENT = Path(__file__).parents[2] / "docs" / "lint-coverage.md"

GROUPS = {
    "1xx": SERIALIZATION,
    "2xx": TRANSPORT,
    "3xx": SIGNING,
    "4xx": LIMITS,
    "5xx": DELIVERY,
    "6xx": RETRIES,
    "7xx": TASK_CODE,
    "8xx": RESULTS,
    "9xx": OPERATIONS,
}


def promised() -> dict[str, set[str]]:
    """The codes of the table in docs/lint-coverage.md, by heading."""
    found: dict[str, set[str]] = {}
    heading = ""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line[3:6]
        elif line.startswith("| ") and "SFC" in line:
            found.setdefault(heading, set()).update(re.findall(r"SFC\d{3}", line.rpartition("|")[0].rpartition("|")[2]))
    return found


@pytest.mark.parametrize("group", GROUPS)
def test_everything_that_is_promised_is_found_in_the_bad_project(tmp_path: Path, group: str) -> None:
    project = tmp_path / "project"
    for name, text in GROUPS[group].items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="latin-1" if name.startswith(".git/") else "utf-8")
    config = LintConfig(cache=False, jobs=1, include_tests=True, root=project)
    result = lint([str(project)], config)
    found = {finding.code for finding in result.findings}
    covered = {code for finding in result.findings for code in re.findall(r"SFC\d{3}", finding.message)}
    assert not result.unread
    assert sorted(promised()[group] - found - covered) == []


def test_the_document_names_rules_that_exist() -> None:
    assert set(promised()) == set(GROUPS)
    assert {code for codes in promised().values() for code in codes} <= set(BY_CODE)


@pytest.mark.parametrize(
    "file",
    ["Dockerfile", "docker-compose.yml", "worker.service", "supervisord.conf", "Procfile", "k8s/worker.yaml"],
)
def test_a_pool_that_ignores_limits_is_found_in_every_kind_of_deployment_file(tmp_path: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(LIMITS[file])
    assert "SFC430" in codes_of(tmp_path, {})


def codes_of(project: Path, files: dict[str, str]) -> set[str]:
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    result = lint([str(project)], LintConfig(cache=False, jobs=1, include_tests=True, root=project))
    assert not result.unread
    return {finding.code for finding in result.findings}


_APP = "from celery import Celery\n\napp = Celery('shop', broker='amqps://mq.internal//')\n"
_TASK = "\n\n@app.task(time_limit=60, soft_time_limit=50)\ndef work(x: int) -> None:\n"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("SFC111", "import pickle\n\nregister_args = (pickle.dumps, pickle.loads, 'application/x-mine', 'binary')\n"),
        ("SFC207", "app.conf.update(broker_url='redis://r/0', broker_use_ssl={})\n"),
        ("SFC215", "app.conf.broker_url = 'filesystem://'\n"),
        ("SFC205", "app.conf.broker_url = 'rediss://:@r.internal/0'\n"),
        ("SFC201", "app.conf.broker_url = ['amqps://one//', 'amqp://two//']\n"),
        ("SFC416", "app.control.time_limit('shop.work', soft=10, hard=None)\n"),
        ("SFC731", "import socket\n" + _TASK + "    socket.create_connection(('h', 1))\n"),
        ("SFC760", "import psycopg2\n" + _TASK + "    psycopg2.connect('dsn').cursor().execute('select 1')\n"),
        ("SFC701", "from celery import group\n" + _TASK + "    group([other.s(1)])().join()\n"),
        ("SFC903", "app.conf.task_time_limitt = 3\n"),
        ("SFC906", "app.config_from_object({'CELERY_TASK_TIME_LIMIT': 3, 'task_serializer': 'json'})\n"),
        ("SFC911", "app.conf.beat_schedule = {'a': {'task': 'x', 'schedule': 900.0}}\n"),
        ("SFC504", _TASK + "    pass\n\n\ndef send():\n    work.apply_async((1,), countdown=60 * 86400)\n"),
        ("SFC503", "app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)\n" + _TASK + "    pass\n"),
    ],
)  # fmt: skip
def test_single_items_are_found_where_nothing_else_is_wrong(tmp_path: Path, code: str, text: str) -> None:
    assert code in codes_of(tmp_path / "project", {"shop.py": _APP + text})
