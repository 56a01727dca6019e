"""The audit of Django projects and of hardened apps."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.audited import Project, places
from tests.integration.stage import Identities


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


DJANGO = {
    "shop/__init__.py": "from shop.celery import app\n__all__ = ['app']\n",
    "shop/celery.py": """
        import os
        from celery import Celery

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
        app = Celery("shop")
        app.config_from_object("django.conf:settings", namespace="CELERY")
        app.autodiscover_tasks()
        """,
    "shop/settings.py": """
        SECRET_KEY = "for a test"
        INSTALLED_APPS = ["orders"]
        USE_TZ = True
        CELERY_BROKER_URL = "amqps://u:p4ss@broker.example//"
        CELERY_TASK_TIME_LIMIT = 7200
        CELERY_TASK_SOFT_TIME_LIMT = 25
        """,
    "orders/__init__.py": "",
    "orders/tasks.py": """
        from celery import shared_task
        from django.conf import settings

        assert settings.USE_TZ

        @shared_task(soft_time_limit=15)
        def ship(count): ...
        """,
}


def test_a_django_project_is_read_with_its_namespace_and_discovered_tasks(project: Project) -> None:
    pytest.importorskip("django")
    project.write(DJANGO)
    result, status, document = project.audit("shop")
    assert status == 1
    assert places(result["findings"], "SFC405") == [("orders/tasks.py", 6, "orders.tasks.ship")]
    (unknown,) = [item for item in result["findings"] if item["code"] == "SFC903"]
    assert "CELERY_TASK_SOFT_TIME_LIMT" in unknown["message"]
    (app,) = document["apps"]
    assert app["conf"]["task_time_limit"]["value"] == 7200
    assert app["conf"]["task_time_limit"]["because"][0] == {
        "file": "shop/settings.py",
        "line": 5,
        "what": "the live value of task_time_limit",
    }
    assert "p4ss" not in json.dumps([result, document])


HARDENED = """
    from safecelery import create_app

    app = create_app("shop")

    @app.task({options})
    def charge(order: int) -> str: ...
    """


@pytest.fixture
def hardened(project: Project) -> Callable[[str], Project]:
    keys = Identities(project.directory)
    keys.add("shop", send=["shop.*"], queues=["celery"])
    project.env = {
        "SAFECELERY_BROKER__URL": "rediss://shop:long-enough@broker.example/0",
        "SAFECELERY_SIGNING__KEY": keys.reference("shop"),
        "SAFECELERY_SIGNING__TRUST_FILE": str(keys.trust_file),
    }

    def make(options: str) -> Project:
        project.write({"shop.py": HARDENED.format(options=options)})
        return project

    return make


def test_a_hardened_app_has_no_errors(hardened: Callable[[str], Project]) -> None:
    result, status, document = hardened("time_limit=30, soft_time_limit=25").audit("shop")
    assert [(item["code"], item["message"]) for item in result["findings"] if item["level"] == "error"] == []
    assert status == 0
    assert document["apps"][0]["conf"]["broker_url"]["value"] == "rediss://shop:***@broker.example/0"
    assert document["tasks"][0]["options"]["acks_late"]["value"] is True


def test_a_hardened_app_that_refuses_itself_gives_its_violations_and_says_what_was_not_read(
    hardened: Callable[[str], Project],
) -> None:
    result, status, document = hardened("soft_time_limit=25").audit("shop")
    assert status == 2
    assert document is None
    assert places(result["findings"], "SFC401") == [("shop.py", 5, "shop.charge")]
    assert result["unread"][0]["message"] == "it refuses itself, so what comes after was not looked at"
