"""The audit of live apps of plain Celery, each a project on disk in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from tests.integration.audited import Project, places

PLAIN = {
    "shop/__init__.py": "",
    "shop/celery.py": """
        from celery import Celery
        from celery.schedules import crontab

        print("printed while it is imported")
        app = Celery("shop", broker="redis://:hunter2@broker.example/0", include=["shop.tasks"])
        app.conf.update(
            task_serializer="pickle",
            task_time_limt=3,
            beat_schedule={
                "sum up": {
                    "task": "shop.tasks.add",
                    "schedule": crontab(minute="*/5"),
                    "options": {"time_limit": 100, "countdwn": 5},
                },
            },
        )
        app.conf.task_soft_time_limit = 20
        """,
    "shop/tasks.py": """
        import functools
        from celery import Task, shared_task
        from shop.celery import app

        class Locked(Task):
            def before_start(self, *args):
                return self.lock_timeout

        def traced(function):
            @functools.wraps(function)
            def inner(*args, **kwargs):
                return function(*args, **kwargs)
            return inner

        @app.task(
            time_limit=30, base=Locked, lock_timeout=3, ignore_results=True,
            autoretry_for=(ValueError,), retry_kwargs={"max_retries": 9},
        )
        @traced
        def add(x): return x

        @shared_task(acks_late=True)
        def plain(): ...

        class Classic(Task):
            name = "shop.classic"
            time_limt = 3
            def run(self): ...

        app.register_task(Classic())
        """,
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.fixture
def plain(project: Project) -> Project:
    project.write(PLAIN)
    return project


def line(file: str, text: str) -> int:
    """Where a line of the plain project stands, from 1."""
    lines = dedent(PLAIN[file]).lstrip("\n").splitlines()
    return next(number for number, found in enumerate(lines, 1) if found.startswith(text))


ADD, PLAIN_TASK, CLASSIC = (line("shop/tasks.py", text) for text in ("@app.task", "@shared_task", "class Classic"))


def test_a_plain_app_is_judged_with_place_and_subject(plain: Project) -> None:
    result, status, _ = plain.audit("shop")
    found = result["findings"]
    assert status == 1
    assert places(found, "SFC101") == [("shop/celery.py", 5, "app")]
    assert places(found, "SFC201") == [("shop/celery.py", 5, "broker redis://:***@broker.example/0")]
    assert places(found, "SFC401") == [
        ("shop/tasks.py", PLAIN_TASK, "shop.tasks.plain"),
        ("shop/tasks.py", CLASSIC, "shop.classic"),
    ]
    assert places(found, "SFC407") == [("shop/celery.py", 9, "shop.tasks.add")]
    assert places(found, "SFC902") == [("shop/celery.py", 9, "shop.tasks.add")]
    assert places(found, "SFC501") == [
        ("shop/tasks.py", ADD, "shop.tasks.add"),
        ("shop/tasks.py", CLASSIC, "shop.classic"),
    ]
    assert [row["name"] for row in result["tasks"]] == ["shop.tasks.add", "shop.tasks.plain", "shop.classic"]
    assert result["unread"] == []


def test_an_option_that_nothing_reads_is_told_from_one_that_a_base_class_reads(plain: Project) -> None:
    result, _, document = plain.audit("shop")
    said = {item["subject"]: item["message"] for item in result["findings"] if item["code"] == "SFC901"}
    assert set(said) == {"shop.tasks.add", "shop.classic"}
    assert "'ignore_results' (did you mean 'ignore_result'?)" in said["shop.tasks.add"]
    assert "lock_timeout" not in said["shop.tasks.add"]
    assert {task["name"]: task["unknown_options"] for task in document["tasks"]} == {
        "shop.tasks.add": ["ignore_results"],
        "shop.tasks.plain": [],
        "shop.classic": ["time_limt"],
    }


def test_the_document_holds_effective_options_and_masks_secrets(plain: Project) -> None:
    _, _, document = plain.audit("shop.celery:app")
    assert list(document) == ["schema", "apps", "tasks", "unparsed"]
    (app,) = document["apps"]
    assert (app["name"], app["file"], app["line"]) == ("shop", "shop/celery.py", 5)
    assert app["conf"]["broker_url"]["value"] == "redis://:***@broker.example/0"
    assert app["conf"]["task_soft_time_limit"] == {
        "state": "known",
        "value": 20,
        "env": [],
        "because": [{"file": "shop/celery.py", "line": 17, "what": "the live value of task_soft_time_limit"}],
    }
    assert app["conf"]["worker_prefetch_multiplier"]["because"][0]["what"] == "Celery's default"
    assert "hunter2" not in json.dumps(document)
    (add,) = [task for task in document["tasks"] if task["name"] == "shop.tasks.add"]
    values = {option: value["value"] for option, value in add["options"].items()}
    assert values == {
        "time_limit_effective": 30,
        "soft_time_limit_effective": 20,
        "acks_late": False,
        "reject_on_worker_lost": None,
        "max_retries": 3,
        "autoretry_for": ["builtins.ValueError"],
        "retry_backoff": None,
        "retry_backoff_max": None,
        "retry_jitter": None,
        "serializer": "pickle",
        "ignore_result": False,
        "rate_limit": None,
        "expires": None,
        "default_retry_delay": 180,
        "track_started": False,
    }
    assert (add["form"], add["file"], add["line"]) == ("decorator", "shop/tasks.py", ADD)


def test_what_the_project_prints_does_not_reach_standard_output(plain: Project) -> None:
    plain.audit("shop")  # its standard output was JSON and nothing else
    assert "printed while it is imported" in plain.stderr


def test_another_policy_gives_other_levels(plain: Project) -> None:
    strict, _, _ = plain.audit("shop", "baseline")
    mild, _, _ = plain.audit("shop", "migration")
    assert {item["level"] for item in strict["findings"] if item["code"] == "SFC401"} == {"error"}
    assert {item["level"] for item in mild["findings"] if item["code"] == "SFC401"} == {"warn"}


@pytest.mark.parametrize(
    ("files", "app", "said"),
    [
        ({}, "nowhere", "-A nowhere: cannot be imported: ModuleNotFoundError: No module named 'nowhere'"),
        ({"p.py": "import nothing_here\n"}, "p", "ModuleNotFoundError: No module named 'nothing_here' (at p.py:1)"),
        ({"p.py": "\nraise SystemExit('not today')\n"}, "p", "SystemExit: not today (at p.py:1)"),
        ({"p.py": "def broken(:\n"}, "p", "SyntaxError: invalid syntax (p.py, line 1)"),
        ({"p.py": "app = 42\n"}, "p:app", "that is a int, not a Celery app"),
        ({"p.py": "x = 1\n"}, "p", "-A p: cannot be imported: AttributeError"),
        ({}, " ", "-A: name the app"),
        (
            {"p.py": "from celery import Celery\napp = Celery('p', include=['p_tasks'])\n"},
            "p",
            "-A p: its tasks cannot be imported: ModuleNotFoundError: No module named 'p_tasks'",
        ),
    ],
)
def test_an_app_that_cannot_be_read_is_a_sentence(project: Project, files: dict[str, str], app: str, said: str) -> None:
    project.write(files)
    assert said in project.audit(app)


@pytest.mark.parametrize("broker", ["redis://127.0.0.1:1/0", "amqp://127.0.0.1:1//", "memory://"])
@pytest.mark.parametrize("call", ["app.send_task('x')", "app.connection().connect()", "app.control.ping()"])
def test_no_broker_is_contacted(project: Project, broker: str, call: str) -> None:
    project.write({"p.py": f"from celery import Celery\napp = Celery('p', broker={broker!r})\n{call}\n"})
    assert "the app tries to reach its broker while it is imported; an audit only reads it" in project.audit("p")
