"""Where a value came from: every place in order, nearest first, and the variables it hangs on."""

# ruff: noqa: E501  # source texts stay on one line

from __future__ import annotations

from pathlib import Path

from tests.unit.lint.project.readings import APP, DJANGO, Default, Unread, facts_of, lint_of

SETTINGS = {
    **DJANGO,
    "shop/env.py": "import environ\nenv = environ.Env(\n    LIMIT=(int, 43200),\n)\n",
    "shop/base.py": "from shop.env import env\nDAY = env('LIMIT')\n",
    "shop/settings.py": "from .base import *\n\nCELERY_TASK_TIME_LIMIT = DAY\n",
}


def test_a_constant_is_followed_through_imports(tmp_path: Path) -> None:
    files = {
        **APP,
        "shop/limits.py": "MINUTE = 60\nLONG = 5 * MINUTE\n",
        "shop/tasks.py": (
            "from shop.celery import app\nfrom shop.limits import LONG\n\n@app.task(\n    time_limit=LONG,\n)\ndef pay(): ...\n"
        ),
    }
    reading = facts_of(tmp_path, files)
    assert reading.value("pay", "time_limit") == 300
    assert reading.chain("pay", "time_limit")[:2] == ["shop/tasks.py:5 time_limit", "shop/limits.py:2 LONG"]


def test_a_setting_leads_through_its_modules_to_the_default_of_the_variable(tmp_path: Path) -> None:
    reading = facts_of(tmp_path, SETTINGS)
    assert reading.value("pay", "time_limit") == Default(43200, "LIMIT")
    chain = reading.chain("pay", "time_limit")
    assert chain[0] == "shop/settings.py:3 CELERY_TASK_TIME_LIMIT"
    assert "shop/base.py:2 DAY" in chain
    assert any(place.startswith("shop/env.py:3") for place in chain)


def test_an_unknown_names_the_expression_last_and_where_it_was_met(tmp_path: Path) -> None:
    files = {
        **APP,
        "shop/tasks.py": "import lost\nfrom shop.celery import app\nT = lost.get('x')\n@app.task(time_limit=T)\ndef pay(): ...\n",
    }
    reading = facts_of(tmp_path, files)
    assert reading.value("pay", "time_limit") == Unread("lost.get(...)")
    assert "shop/tasks.py:4 time_limit" in reading.chain("pay", "time_limit")


def test_a_variable_without_default_is_named_with_its_place(tmp_path: Path) -> None:
    files = {
        **APP,
        "shop/tasks.py": "import os\nfrom shop.celery import app\n@app.task(time_limit=os.environ['LIMIT'])\ndef pay(): ...\n",
    }
    reading = facts_of(tmp_path, files)
    assert reading.value("pay", "time_limit") == Unread("environment variable LIMIT")
    assert reading.task("pay")["options"]["time_limit_effective"]["env"] == ["LIMIT"]
    assert any(place.startswith("shop/tasks.py:3") for place in reading.chain("pay", "time_limit"))


def test_a_base_class_is_the_place_of_what_it_sets(tmp_path: Path) -> None:
    files = {
        **APP,
        "shop/base.py": "from celery import Task\n\nclass Base(Task):\n    time_limit = 30\n",
        "shop/tasks.py": (
            "from shop.base import Base\nfrom shop.celery import app\n@app.task(base=Base)\ndef pay(): ...\n"
        ),
    }
    assert facts_of(tmp_path, files).chain("pay", "time_limit") == ["shop/base.py:4 time_limit"]


def test_conf_update_is_the_place_of_what_it_sets(tmp_path: Path) -> None:
    app = "from celery import Celery\napp = Celery('shop')\napp.conf.update(\n    task_acks_late=True,\n    task_time_limit=30,\n)\n"
    reading = facts_of(tmp_path, {**APP, "shop/celery.py": app})
    assert reading.setting_chain("task_time_limit")[0].startswith("shop/celery.py:5 ")


def test_a_finding_carries_the_chain_and_the_variable_and_only_warns(tmp_path: Path) -> None:
    result = lint_of(tmp_path, SETTINGS, select=("SFC405",))
    (finding,) = [finding for finding in result.findings if finding.subject.endswith("pay")]
    assert finding.env == ("LIMIT",)
    assert finding.level.value == "warn"
    assert [link.file.rpartition("/")[2] for link in finding.because][:1] == ["settings.py"]


def test_paths_are_relative_to_the_argument(tmp_path: Path) -> None:
    reading = facts_of(tmp_path, SETTINGS)
    places = [place for option in ("time_limit", "acks_late") for place in reading.chain("pay", option)]
    assert reading.task("pay")["file"] == "shop/tasks.py"
    assert all(place.startswith("shop/") for place in places)


def test_values_that_nobody_states_have_no_place(tmp_path: Path) -> None:
    reading = facts_of(tmp_path, {**APP, "shop/tasks.py": "from shop.celery import app\n@app.task\ndef pay(): ...\n"})
    assert reading.chain("pay", "max_retries") == []
