"""Readers of the environment: the default where it can be read, the variable's name, and never more than that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.lint.project.readings import APP, DJANGO, Default, Reading, Unread, facts_of


def read(tmp_path: Path, before: str, value: str, option: str = "time_limit", **config: Any) -> Reading:
    source = f"from shop.celery import app\n{before}\n@app.task({option}={value})\ndef pay(): ...\n"
    return facts_of(tmp_path, {**APP, "shop/tasks.py": source}, **config)


ENV = "import environ\nenv = environ.Env()"
SCHEMA = "import environ\nenv = environ.Env(LIMIT=(int, 30), LATE=(bool, True))"
ENVIRONS = "from environs import Env\nenv = Env()"
DEFAULTS: dict[str, tuple[str, str, str]] = {
    "os.getenv": ("import os", "int(os.getenv('LIMIT', '30'))", "time_limit"),
    "from os import getenv": ("from os import getenv", "int(getenv('LIMIT', 30))", "time_limit"),
    "keyword": ("import os", "int(os.getenv('LIMIT', default='30'))", "time_limit"),
    "os.environ.get": ("import os", "int(os.environ.get('LIMIT', 30))", "time_limit"),
    "from os import environ": ("from os import environ", "int(environ.get('LIMIT') or 30)", "time_limit"),
    "arithmetic around it": ("import os", "int(os.getenv('LIMIT', '15')) * 2", "time_limit"),
    "helper function": (
        "import os\ndef env_int(name, default):\n    return int(os.environ.get(name, default))",
        "env_int('LIMIT', 30)", "time_limit"),
    "helper with try": (
        "import os\ndef env_int(n, d):\n try:\n  return int(os.environ[n])\n except KeyError:\n  return d",
        "env_int('LIMIT', 30)", "time_limit"),
    "if name in os.environ": (
        "import os\nif 'LIMIT' in os.environ:\n    T = int(os.environ['LIMIT'])\nelse:\n    T = 30", "T", "time_limit"),
    "conditional expression": (
        "import os", "int(os.environ['LIMIT']) if 'LIMIT' in os.environ else 30", "time_limit"),
    "strtobool of Celery": (
        "import os\nfrom celery.utils.serialization import strtobool", "strtobool(os.getenv('LIMIT', 'on'))",
        "acks_late"),
    "comparison": ("import os", "os.getenv('LIMIT', 'yes') == 'yes'", "acks_late"),
    "membership": ("import os", "os.getenv('LIMIT', 'true').lower() in ('1', 'true')", "acks_late"),
    "django-environ call": (ENV, "env('LIMIT', cast=int, default=30)", "time_limit"),
    "django-environ int": (ENV, "env.int('LIMIT', default=30)", "time_limit"),
    "django-environ positional": (ENV, "env.int('LIMIT', 30)", "time_limit"),
    "django-environ bool": (ENV, "env.bool('LIMIT', default=True)", "acks_late"),
    "django-environ schema": (SCHEMA, "env('LIMIT')", "time_limit"),
    "django-environ schema, typed": (SCHEMA, "env.int('LIMIT')", "time_limit"),
    "environs": (ENVIRONS, "env.int('LIMIT', 30)", "time_limit"),
    "environs bool": (ENVIRONS, "env.bool('LIMIT', True)", "acks_late"),
    "decouple": ("from decouple import config", "config('LIMIT', default=30, cast=int)", "time_limit"),
    "decouple casts its default": ("from decouple import config", "config('LIMIT', default='30', cast=int)",
                                   "time_limit"),
    "decouple bool": ("from decouple import config", "config('LIMIT', default='yes', cast=bool)", "acks_late"),
    "decouple auto": ("from decouple import AutoConfig\nconfig = AutoConfig('.')", "config('LIMIT', 30)", "time_limit"),
    "starlette": ("from starlette.config import Config\nconfig = Config('.env')",
                  "config('LIMIT', cast=int, default='30')", "time_limit"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "value", "option"), DEFAULTS.values(), ids=DEFAULTS.keys())
def test_the_default_is_taken_and_the_variable_named(tmp_path: Path, before: str, value: str, option: str) -> None:
    expected = 30 if option == "time_limit" else True
    found = read(tmp_path, before, value, option).value("pay", option)
    assert found == Default(expected, "LIMIT")
    assert type(found.value) is type(expected)


WITHOUT: dict[str, tuple[str, str]] = {
    "os.environ[]": ("import os", "int(os.environ['LIMIT'])"),
    "django-environ": (ENV, "env.int('LIMIT')"),
    "django-environ schema without default": ("import environ\nenv = environ.Env(LIMIT=int)", "env('LIMIT')"),
    "environs": (ENVIRONS, "env.int('LIMIT')"),
    "decouple": ("from decouple import config", "config('LIMIT', cast=int)"),
    "raise when it is missing": (
        "import os\nT = os.environ.get('LIMIT')\nif T is None:\n    raise RuntimeError('set LIMIT')", "T"),
    "raise when it is empty": (
        "import os\nT = os.environ.get('LIMIT', '')\nif not T:\n    raise RuntimeError('set LIMIT')", "T"),
    "helper that raises": (
        "import os\ndef need(n):\n v = os.environ.get(n)\n if not v:\n  raise KeyError(n)\n return v", "need('LIMIT')"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "value"), WITHOUT.values(), ids=WITHOUT.keys())
def test_without_a_default_the_variable_is_what_blocks(tmp_path: Path, before: str, value: str) -> None:
    found = read(tmp_path, before, value).value("pay", "time_limit")
    assert isinstance(found, Unread)
    assert "LIMIT" in found.blocker


def test_none_is_the_default_of_a_variable_that_may_be_missing(tmp_path: Path) -> None:
    assert read(tmp_path, "import os", "os.getenv('LIMIT')").value("pay", "time_limit") == Default(None, "LIMIT")


def test_several_variables_are_all_named(tmp_path: Path) -> None:
    value = "int(os.getenv('LIMIT') or os.getenv('GLOBAL_LIMIT') or 30)"
    found = read(tmp_path, "import os", value).value("pay", "time_limit")
    assert found == Default(30, "LIMIT", "GLOBAL_LIMIT")


def test_a_branch_decided_by_a_variable_taints_what_it_sets(tmp_path: Path) -> None:
    before = "import os\nT = 5\nif os.getenv('PROD', '1') == '1':\n    T = 30"
    assert read(tmp_path, before, "T").value("pay", "time_limit") == Default(30, "PROD")


def test_a_branch_that_is_not_taken_by_default_taints_what_it_would_have_set(tmp_path: Path) -> None:
    before = "import os\nT = 30\nif os.getenv('SLOW'):\n    T = 3000"
    assert read(tmp_path, before, "T").value("pay", "time_limit") == Default(30, "SLOW")


def test_a_setting_read_by_django_environ_names_its_variable(tmp_path: Path) -> None:
    settings = (
        "import environ\nenv = environ.Env()\nenviron.Env.read_env('.env')\n"
        "CELERY_TASK_TIME_LIMIT = env.int('TASK_LIMIT', default=30)\n"
    )
    reading = facts_of(tmp_path, {**DJANGO, "shop/settings.py": settings})
    assert reading.value("pay", "time_limit") == Default(30, "TASK_LIMIT")


def test_what_the_user_says_of_the_environment_is_taken(tmp_path: Path) -> None:
    reading = read(tmp_path, "import os", "int(os.getenv('LIMIT', '30'))", environment={"LIMIT": "45"})
    found = reading.value("pay", "time_limit")
    assert getattr(found, "value", found) == 45


def test_pydantic_settings_fields_are_defaults_of_their_variables(tmp_path: Path) -> None:
    before = (
        "from pydantic_settings import BaseSettings\nfrom pydantic import Field\nclass Conf(BaseSettings):\n"
        "    task_time_limit: int = 30\n    task_soft_time_limit: int = Field(20)\n"
    )
    celery = f"from celery import Celery\n{before}\napp = Celery('shop')\napp.config_from_object(Conf())\n"
    tasks = "from shop.celery import app\n@app.task\ndef pay(): ...\n"
    reading = facts_of(tmp_path, {**APP, "shop/celery.py": celery, "shop/tasks.py": tasks})
    assert reading.values("pay", "time_limit", "soft_time_limit") == (
        Default(30, "TASK_TIME_LIMIT"),
        Default(20, "TASK_SOFT_TIME_LIMIT"),
    )


def test_all_variables_put_over_a_module_leave_its_values_as_their_defaults(tmp_path: Path) -> None:
    config = "import os\nPAY_LIMIT = 30\nglobals().update(os.environ)\n"
    before = "from shop import config"
    tasks = f"{before}\nfrom shop.celery import app\n@app.task(time_limit=config.PAY_LIMIT)\ndef pay(): ...\n"
    reading = facts_of(tmp_path, {**APP, "shop/config.py": config, "shop/tasks.py": tasks})
    assert reading.value("pay", "time_limit") == Default(30, "PAY_LIMIT")
