"""Tasks where one does not expect them, and what only looks like a task."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.lint.project.readings import APP, Reading, facts_of

IMPORT = "from celery import shared_task\nfrom shop.celery import app\n"


def read(tmp_path: Path, tasks: str, **more: str) -> Reading:
    """A package with an app, ``shop/tasks.py`` and more modules of it."""
    files = {f"shop/{name}.py": text for name, text in more.items()}
    return facts_of(tmp_path, {**APP, "shop/tasks.py": tasks, **files})


INSIDE = {
    "in a function that is called": "def declare():\n    @app.task(time_limit=7)\n    def pay(): ...\ndeclare()\n",
    "in a function that nobody calls": "def declare():\n    @app.task(time_limit=7)\n    def pay(): ...\n",
    "in a function that gets the app": (
        "def declare(celery):\n    @celery.task(time_limit=7)\n    def pay(): ...\ndeclare(app)\n"
    ),
    "in an if": "import sys\nif sys.version_info > (3, 9):\n    @app.task(time_limit=7)\n    def pay(): ...\n",
    "in a try": "try:\n    @app.task(time_limit=7)\n    def pay(): ...\nexcept Exception:\n    pass\n",
    "a method": "class Jobs:\n    @app.task(time_limit=7)\n    def pay(self): ...\n",
    "a static method": "class Jobs:\n    @staticmethod\n    @app.task(time_limit=7)\n    def pay(): ...\n",
    "in __init__": (
        "class Jobs:\n    def __init__(self):\n        @app.task(time_limit=7)\n        def pay(): ...\n"
        "        self.pay = pay\njobs = Jobs()\n"
    ),
}


@pytest.mark.parametrize("source", INSIDE.values(), ids=INSIDE.keys())
def test_tasks_inside_other_things_are_found_once(tmp_path: Path, source: str) -> None:
    reading = read(tmp_path, IMPORT + source)
    assert [name.rpartition(".")[2] for name in reading.names] == ["pay"]
    assert reading.value("pay", "time_limit") == 7


def test_one_function_under_two_names_is_two_tasks(tmp_path: Path) -> None:
    body = "def pay(): ...\nfor name in ('a.pay', 'b.pay'):\n    app.task(name=name)(pay)\n"
    assert sorted(read(tmp_path, IMPORT + body).names) == ["a.pay", "b.pay"]


# --- what is no task --------------------------------------------------------------------------------------------------

OTHERS = {
    "rq": "from django_rq import job\n@job\ndef pay(): ...\n",
    "invoke": "from invoke import task\n@task\ndef pay(c): ...\n",
    "airflow": "from airflow.decorators import task\n@task()\ndef pay(): ...\n",
    "newrelic": "import newrelic.agent as agent\n@agent.background_task()\ndef pay(): ...\n",
    "prefect": "from prefect import task\n@task(retries=3)\ndef pay(): ...\n",
    "own decorator called task": "def task(f):\n    return f\n@task\ndef pay(): ...\n",
    "a method called task": "class Board:\n    def task(self, f):\n        return f\nb = Board()\n"
    "@b.task\ndef pay(): ...\n",
    "locust": "from locust import task, HttpUser\nclass U(HttpUser):\n    @task(3)\n    def pay(self): ...\n",
    "dramatiq": "import dramatiq\n@dramatiq.actor(max_retries=3)\ndef pay(): ...\n",
    "huey": "from huey import RedisHuey\nhuey = RedisHuey()\n@huey.task()\ndef pay(): ...\n",
}


@pytest.mark.parametrize("source", OTHERS.values(), ids=OTHERS.keys())
def test_decorators_of_other_packages_declare_no_task(tmp_path: Path, source: str) -> None:
    # The word "celery" is in the file, so it is looked at.
    assert read(tmp_path, f"# not celery\n{source}").names == []


# --- options nobody reads ---------------------------------------------------------------------------------------------


def test_a_misspelt_option_is_listed_and_one_that_a_wrapper_takes_is_not(tmp_path: Path) -> None:
    source = (
        f"{IMPORT}def job(verbose_name, **o):\n    return app.task(**o)\n"
        "@job(verbose_name='Pay', ignore_results=True)\ndef pay(): ...\n"
    )
    assert read(tmp_path, source).task("pay")["unknown_options"] == ["ignore_results"]


def test_an_option_that_the_base_class_reads_is_not_listed(tmp_path: Path) -> None:
    source = (
        "from celery import Task\nfrom shop.celery import app\nclass Locked(Task):\n"
        "    def __call__(self, *a):\n        return getattr(self, 'lock_timeout', 3)\n"
        "@app.task(base=Locked, lock_timeout=9, lock_timeot=9)\ndef pay(): ...\n"
    )
    assert read(tmp_path, source).task("pay")["unknown_options"] == ["lock_timeot"]
