"""What looks like Celery's and is somebody else's: other queues, pools of processes, settings of packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.lint.project.readings import APP, DJANGO, lint_of

ATOMIC = (
    "from django.db import transaction\nfrom shop.tasks import pay\n"
    "def order(id):\n    with transaction.atomic():\n        pay.delay(id)\n"
)


def told(tmp_path: Path, files: dict[str, str], code: str) -> list[str]:
    return [finding.message for finding in lint_of(tmp_path, files).findings if finding.code == code]


@pytest.mark.parametrize("origin", ["shop.tasks", ".tasks"])
def test_tasks_of_another_queue_are_not_judged(tmp_path: Path, origin: str) -> None:
    task = "from queues import job\n@job\ndef pay(id): ...\n"
    files = {"shop/__init__.py": "", "shop/tasks.py": task, "shop/views.py": ATOMIC.replace("shop.tasks", origin)}
    assert lint_of(tmp_path, files).findings == ()


def test_where_somebody_imports_celery_they_may_be_celerys(tmp_path: Path) -> None:
    task = "def pay(id):\n    from celery import current_app\n    current_app.tasks['pay'].run(id)\n"
    files = {"shop/__init__.py": "", "shop/tasks.py": task, "shop/views.py": ATOMIC}
    assert len(told(tmp_path, files, "SFC702")) == 1


def test_a_pool_of_processes_takes_options_of_its_own(tmp_path: Path) -> None:
    views = (
        "import multiprocessing\nfrom shop.celery import app\n"
        "def index(work, done):\n    with multiprocessing.Pool() as pool:\n"
        "        pool.apply_async(work, args=(1,), callback=done, error_callback=done)\n"
    )
    assert told(tmp_path, {**APP, "shop/views.py": views}, "SFC902") == []


@pytest.mark.parametrize("name", ["ONCE", "redbeat_redis_url", "singleton_lock_expiry"])
def test_settings_that_packages_read(tmp_path: Path, name: str) -> None:
    app = f"from celery import Celery\napp = Celery('shop')\napp.conf.{name} = 'x'\napp.conf.shopping = 'x'\n"
    (message,) = told(tmp_path, {**APP, "shop/celery.py": app}, "SFC903")
    assert "shopping" in message
    assert name not in message


AGES = {
    "in one object": ("'shop'", "", "CELERYD_TASK_TIME_LIMIT = 3\ntask_acks_late = True\n", True),
    "an argument of the app": ("'shop', broker='sqs://'", "", "CELERYD_TASK_TIME_LIMIT = 3\n", False),
    "beside the object": ("'shop'", "app.conf.task_acks_late = True\n", "CELERYD_TASK_TIME_LIMIT = 3\n", False),
}


@pytest.mark.parametrize(("made", "beside", "config", "mixed"), AGES.values(), ids=AGES.keys())
def test_celery_compares_the_names_of_one_object(
    tmp_path: Path, made: str, beside: str, config: str, mixed: bool
) -> None:
    app = f"from celery import Celery\napp = Celery({made})\napp.config_from_object('shop.config')\n{beside}"
    found = told(tmp_path, {**APP, "shop/celery.py": app, "shop/config.py": config}, "SFC904")
    assert bool(found) is mixed


@pytest.mark.parametrize(("made", "mixed"), [("'shop'", True), ("'shop', broker='sqs://'", True)])
def test_without_an_object_celery_compares_what_is_set(tmp_path: Path, made: str, mixed: bool) -> None:
    change = "app.conf.update(CELERY_ACKS_LATE=True, task_time_limit=3)\n"
    app = f"from celery import Celery\napp = Celery({made})\n{change}"
    assert bool(told(tmp_path, {**APP, "shop/celery.py": app}, "SFC904")) is mixed


def test_an_option_that_stands_before_the_command_is_said_to_belong_behind_it(tmp_path: Path) -> None:
    files = {**DJANGO, "Procfile": "beat: celery --app=shop --loglevel=info beat\n"}
    (message,) = told(tmp_path, files, "SFC971")
    assert "--loglevel (it stands behind 'beat')" in message
