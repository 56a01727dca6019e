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


FACTORIES = {
    "from_mapping": "flask_app.config.from_mapping(CELERY={'task_time_limit': 30})",
    "from_mapping of a call": "flask_app.config.from_mapping(CELERY=dict(task_time_limit=30))",
    "update": "flask_app.config.update({'CELERY': {'task_time_limit': 30}})",
    "item": "flask_app.config['CELERY'] = {'task_time_limit': 30}",
    "prefixed variables as well": (
        "flask_app.config.from_mapping(CELERY={'task_time_limit': 30})\n    flask_app.config.from_prefixed_env()"
    ),
}


@pytest.mark.parametrize("fill", FACTORIES.values(), ids=FACTORIES.keys())
def test_a_factory_that_nobody_calls_fills_the_configuration(tmp_path: Path, fill: str) -> None:
    make = (
        "from celery import Celery\nfrom flask import Flask\n"
        "def init(app: Flask) -> Celery:\n    celery_app = Celery(app.name)\n"
        "    celery_app.config_from_object(app.config['CELERY'])\n    celery_app.set_default()\n"
        "    app.extensions['celery'] = celery_app\n    return celery_app\n"
    )
    web = (
        "from flask import Flask\nfrom shop.celery import init\n"
        f"def create_app(test_config=None):\n    flask_app = Flask(__name__)\n    {fill}\n    init(flask_app)\n"
        "    return flask_app\n"
    )
    tasks = "from celery import shared_task\n@shared_task\ndef pay(): ...\n"
    files = {"shop/__init__.py": "", "shop/celery.py": make, "shop/web.py": web, "shop/tasks.py": tasks}
    reading = facts_of(tmp_path, files)
    assert reading.values("pay", "time_limit", "acks_late") == (30, False)


def test_a_factory_may_be_long(tmp_path: Path) -> None:
    register = "".join(f"    flask_app.register_blueprint(views.blueprint_{n})\n" for n in range(200))
    web = (
        "from celery import Celery\nfrom flask import Flask\nfrom shop import views\ndef create_app():\n"
        f"    flask_app = Flask(__name__)\n{register}    celery_app = Celery('shop')\n"
        "    celery_app.conf.update(task_time_limit=30)\n    return flask_app\n"
    )
    tasks = "from celery import shared_task\n@shared_task\ndef pay(): ...\n"
    files = {"shop/__init__.py": "", "shop/web.py": web, "shop/tasks.py": tasks}
    assert facts_of(tmp_path, files).value("pay", "time_limit") == 30
