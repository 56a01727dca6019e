"""Apps that take their settings from Flask's configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.lint.project.readings import APP, facts_of

TASK = "from shop.celery import app\n@app.task\ndef pay(): ...\n"

FLASK = {
    "from_object class": (
        "from flask import Flask\nflask_app = Flask('shop')\nflask_app.config.from_object('shop.config.Config')\n"
        "app = Celery('shop')\napp.conf.update(task_time_limit=flask_app.config['PAY_LIMIT'])\n"
    ),
    "get": (
        "from flask import Flask\nflask_app = Flask('shop')\nflask_app.config.from_object('shop.config.Config')\n"
        "app = Celery('shop')\napp.conf.task_time_limit = flask_app.config.get('PAY_LIMIT', 5)\n"
    ),
    "from_object given the class": (
        "from flask import Flask\nfrom shop.config import Config\nflask_app = Flask('shop')\n"
        "flask_app.config.from_object(Config)\napp = Celery('shop')\n"
        "app.conf.task_time_limit = flask_app.config['PAY_LIMIT']\n"
    ),
    "dict in the configuration": (
        "from flask import Flask\nflask_app = Flask('shop')\nflask_app.config.from_object('shop.config.Config')\n"
        "app = Celery('shop')\napp.config_from_object(flask_app.config['CELERY'])\n"
    ),
    "class attribute": (
        "from shop.config import Config\napp = Celery('shop')\napp.config_from_object(Config.CELERY)\n"
    ),
}


@pytest.mark.parametrize("make", FLASK.values(), ids=FLASK.keys())
def test_flask_configuration(tmp_path: Path, make: str) -> None:
    config = (
        "class Base:\n    PAY_LIMIT = 5\n    CELERY = {'task_acks_late': True}\n"
        "class Config(Base):\n    PAY_LIMIT = 30\n    CELERY = {**Base.CELERY, 'task_time_limit': 30}\n"
    )
    files = {"shop/celery.py": f"from celery import Celery\n{make}", "shop/config.py": config, "shop/tasks.py": TASK}
    assert facts_of(tmp_path, {**APP, **files}).value("pay", "time_limit") == 30
