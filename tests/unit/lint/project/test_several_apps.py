"""Several apps in one tree: each has its own settings, and shared tasks are judged under all that may run them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.lint.project.readings import facts_of, lint_of


def test_two_apps_each_with_its_own_settings_and_tasks(tmp_path: Path) -> None:
    files = {
        "a/celery.py": "from celery import Celery\napp = Celery('a', task_time_limit=1)\n",
        "b/celery.py": "from celery import Celery\napp = Celery('b')\napp.conf.task_time_limit = 2\n",
        "a/tasks.py": "from a.celery import app\n@app.task\ndef one(): ...\n",
        "b/tasks.py": "from b.celery import app\n@app.task\ndef two(): ...\n",
        "a/__init__.py": "",
        "b/__init__.py": "",
    }
    reading = facts_of(tmp_path, files)
    assert sorted(app["name"] for app in reading.document["apps"]) == ["a", "b"]
    assert (reading.value("one", "time_limit"), reading.value("two", "time_limit")) == (1, 2)
    assert (reading.task("one")["app"], reading.task("two")["app"]) == ("a", "b")


def test_a_shared_task_is_judged_under_every_app_that_may_run_it(tmp_path: Path) -> None:
    limits: dict[str, Any] = {"a": "task_time_limit = 9\ntask_soft_time_limit = 8\n", "b": "task_acks_late = True\n"}
    files = {"jobs/__init__.py": "", "jobs/tasks.py": "from celery import shared_task\n@shared_task\ndef pay(): ...\n"}
    for name, conf in limits.items():
        files[f"{name}/__init__.py"] = ""
        files[f"{name}/conf.py"] = conf
        files[f"{name}/celery.py"] = (
            f"from celery import Celery\napp = Celery('{name}')\napp.config_from_object('{name}.conf')\n"
        )
    result = lint_of(tmp_path, files, select=("SFC401", "SFC501"))
    # Under a the limit is there and the acknowledgement early; under b it is the other way round.
    assert {finding.code for finding in result.findings if finding.subject.endswith("pay")} == {"SFC401", "SFC501"}
