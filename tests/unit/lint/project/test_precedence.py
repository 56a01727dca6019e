"""Which of several statements of an option counts (celery/app/base.py ``_task_from_fun``, celery/app/task.py)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.lint.project.readings import APP, Default, Reading, Unread, facts_of, lint_of

TASK = "from celery import Task\nfrom shop.celery import app\n"


def layered(tmp_path: Path, celery: str = "", tasks: str = "@app.task\ndef pay(): ...\n") -> Reading:
    app = f"from celery import Celery, Task\napp = Celery('shop')\n{celery}\n"
    return facts_of(tmp_path, {**APP, "shop/celery.py": app, "shop/tasks.py": TASK + tasks})


BASE = "class Base(Task):\n    abstract = True\n    time_limit = 3\n"
APP_TASK = "class AppTask(Task):\n    time_limit = 4\napp.Task = AppTask\n"
SETTING = "app.conf.task_time_limit = 5\n"
ANNOTATION = "app.conf.task_annotations = {'*': {'time_limit': 1}}\n"

DIAMOND = "class A(Task):\n    time_limit = 1\nclass B(A): ...\nclass C(A):\n    time_limit = 9\nclass D(B, C): ...\n"

LAYERS: dict[str, tuple[str, str, Any]] = {
    "annotation over decorator": (ANNOTATION, "@app.task(time_limit=2)\ndef pay(): ...\n", 1),
    "annotation over base": (ANNOTATION, f"{BASE}@app.task(base=Base)\ndef pay(): ...\n", 1),
    "annotation over setting": (ANNOTATION + SETTING, "@app.task\ndef pay(): ...\n", 1),
    "decorator over base": (SETTING, f"{BASE}@app.task(base=Base, time_limit=2)\ndef pay(): ...\n", 2),
    "decorator over app.Task": (APP_TASK, "@app.task(time_limit=2)\ndef pay(): ...\n", 2),
    "base over app.Task": (APP_TASK, f"{BASE}@app.task(base=Base)\ndef pay(): ...\n", 3),
    "base over setting": (SETTING, f"{BASE}@app.task(base=Base)\ndef pay(): ...\n", 3),
    "app.Task over setting": (APP_TASK + SETTING, "@app.task\ndef pay(): ...\n", 4),
    "setting over nothing": (SETTING, "@app.task\ndef pay(): ...\n", 5),
    "nothing": ("", "@app.task\ndef pay(): ...\n", None),
    "None on the decorator lets the setting in": (SETTING, "@app.task(time_limit=None)\ndef pay(): ...\n", 5),
    "None on the base hides app.Task, not the setting": (
        APP_TASK + SETTING, "class N(Task):\n    time_limit = None\n@app.task(base=N)\ndef pay(): ...\n", 5),
    "base by name": (SETTING, f"{BASE}@app.task(base='shop.tasks:Base')\ndef pay(): ...\n", 3),
    "nearest base first": (
        "", f"{BASE}class Near(Base):\n    time_limit = 9\n@app.task(base=Near)\ndef pay(): ...\n", 9),
    "left base first": (
        "", f"class M:\n    time_limit = 9\n{BASE}class B(M, Base): ...\n@app.task(base=B)\ndef pay(): ...\n", 9),
    "diamond": ("", f"{DIAMOND}@app.task(base=D)\ndef pay(): ...\n", 9),
    "set on the class later": ("", f"{BASE}Base.time_limit = 9\n@app.task(base=Base)\ndef pay(): ...\n", 9),
}  # fmt: skip


@pytest.mark.parametrize(("celery", "tasks", "expected"), LAYERS.values(), ids=LAYERS.keys())
def test_the_layers_in_order(tmp_path: Path, celery: str, tasks: str, expected: object) -> None:
    assert layered(tmp_path, celery, tasks).value("pay", "time_limit") == expected


def test_an_annotation_for_all_tasks_wins_over_that_for_one_as_celery_applies_it_last(tmp_path: Path) -> None:
    celery = (
        "app.conf.task_annotations = {\n"
        "    '*': {'time_limit': 1}, 'shop.tasks.pay': {'time_limit': 2, 'soft_time_limit': 1},\n"
        "}\n"
    )
    tasks = "@app.task\ndef pay(): ...\n@app.task\ndef other(): ...\n"
    reading = layered(tmp_path, celery, tasks)
    assert reading.values("pay", "time_limit", "soft_time_limit") == (1, 1)
    assert reading.values("other", "time_limit", "soft_time_limit") == (1, None)


def test_annotations_that_cannot_be_read_leave_every_option_open(tmp_path: Path) -> None:
    reading = layered(tmp_path, "import lost\napp.conf.task_annotations = lost.annotations\n")
    assert {type(reading.value("pay", option)) for option in ("time_limit", "max_retries", "acks_late")} == {Unread}


def test_none_stays_none_where_celery_asks_no_setting(tmp_path: Path) -> None:
    tasks = "@app.task(max_retries=None)\ndef pay(): ...\n@app.task\ndef other(): ...\n"
    reading = layered(tmp_path, "", tasks)
    assert (reading.value("pay", "max_retries"), reading.value("other", "max_retries")) == (None, 3)


DEFAULTS = {
    "time_limit": None, "soft_time_limit": None, "acks_late": False, "reject_on_worker_lost": None, "max_retries": 3,
    "serializer": "json", "ignore_result": False, "rate_limit": None, "expires": None, "default_retry_delay": 180,
    "track_started": False,
}  # fmt: skip


def test_without_a_word_the_defaults_are_those_of_celery_itself(tmp_path: Path) -> None:
    from celery import Celery

    def pay() -> None: ...

    live = Celery("live", set_as_current=False).task(name="pay", shared=False)(pay)
    reading = layered(tmp_path)
    for option, value in DEFAULTS.items():
        assert getattr(live, option, None) == value
        assert reading.value("pay", option) == value, option


SETTINGS = {
    "acks_late": ("task_acks_late", True),
    "reject_on_worker_lost": ("task_reject_on_worker_lost", True),
    "serializer": ("task_serializer", "yaml"),
    "ignore_result": ("task_ignore_result", True),
    "rate_limit": ("task_default_rate_limit", "10/m"),
    "track_started": ("task_track_started", True),
    "soft_time_limit": ("task_soft_time_limit", 20),
}


@pytest.mark.parametrize(("option", "setting", "value"), [(o, s, v) for o, (s, v) in SETTINGS.items()])
def test_every_option_that_celery_takes_from_a_setting(tmp_path: Path, option: str, setting: str, value: Any) -> None:
    reading = layered(tmp_path, f"app.conf.{setting} = {value!r}\n")
    assert reading.value("pay", option) == value


def test_options_of_celerys_own_that_no_setting_reaches(tmp_path: Path) -> None:
    """There is no setting ``task_max_retries``; writing one changes nothing."""
    reading = layered(tmp_path, "app.conf.update(task_max_retries=9, task_autoretry_for=(OSError,))\n")
    assert reading.values("pay", "max_retries", "autoretry_for") == (3, None)


def test_a_base_class_of_an_installed_package_leaves_open_what_is_not_stated(tmp_path: Path) -> None:
    tasks = "from company.tasks import BaseTask\n@app.task(base=BaseTask, time_limit=3)\ndef pay(): ...\n"
    reading = layered(tmp_path, SETTING, tasks)
    assert reading.value("pay", "time_limit") == 3
    assert reading.value("pay", "acks_late") == Unread("base class company.tasks.BaseTask, outside the tree")


def test_a_well_known_base_class_sets_nothing_but_what_it_sets(tmp_path: Path) -> None:
    tasks = "from celery_singleton import Singleton\n@app.task(base=Singleton)\ndef pay(): ...\n"
    assert layered(tmp_path, SETTING, tasks).value("pay", "time_limit") == 5


def test_a_property_on_a_base_class_may_be_anything(tmp_path: Path) -> None:
    tasks = "class B(Task):\n    @property\n    def time_limit(self): ...\n@app.task(base=B)\ndef pay(): ...\n"
    assert layered(tmp_path, SETTING, tasks).value("pay", "time_limit") == Unread("B.time_limit, a property")


def test_the_environment_of_every_layer_that_decided_is_named(tmp_path: Path) -> None:
    celery = "import os\napp.conf.task_time_limit = int(os.getenv('ALL', '5'))\n"
    tasks = "import os\n@app.task(time_limit=os.getenv('ONE'))\ndef pay(): ...\n"
    assert layered(tmp_path, celery, tasks).value("pay", "time_limit") == Default(5, "ALL", "ONE")


def test_a_call_is_judged_by_what_it_says_itself(tmp_path: Path) -> None:
    files = {
        **APP,
        "shop/tasks.py": f"{TASK}@app.task(time_limit=30)\ndef pay(): ...\n",
        "shop/views.py": "from shop.tasks import pay\ndef view():\n    pay.apply_async(time_limit=4000)\n    pay()\n",
    }
    found = lint_of(tmp_path, files, select=("SFC404", "SFC405", "SFC406", "SFC407", "SFC408"))
    assert {(finding.path.rpartition("/")[2], finding.line) for finding in found.findings} == {("views.py", 3)}


def test_safecelery_tasks_have_the_defaults_of_safetask(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/celery.py": "from safecelery import create_app\napp = create_app('shop')\n",
        "shop/tasks.py": "from shop.celery import app\n@app.task(time_limit=30)\ndef pay(): ...\n",
    }
    reading = facts_of(tmp_path, files)
    assert reading.values("pay", "time_limit", "acks_late", "max_retries", "retry_backoff") == (30, True, 5, True)
    assert reading.value("pay", "autoretry_for") == [
        "safecelery.errors.TransientError", "builtins.ConnectionError", "builtins.TimeoutError",
    ]  # fmt: skip
