"""Settings and options in fields of dataclasses and pydantic models."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.lint.project.readings import APP, Default, Unread, facts_of

DATACLASS = "from dataclasses import asdict, dataclass, field\nfrom typing import ClassVar\n@dataclass\nclass Conf:\n"
PYDANTIC = "from pydantic import BaseModel, Field\nfrom pydantic_settings import BaseSettings, SettingsConfigDict\n"
HARD, SOFT = "    task_time_limit: int = 30\n", "    task_soft_time_limit: int = 20\n"

CONFIGURED = {
    "asdict": f"{DATACLASS}{HARD}{SOFT}app.conf.update(asdict(Conf()))\n",
    "keyword": f"{DATACLASS}    task_time_limit: int\n{SOFT}app.conf.update(asdict(Conf(task_time_limit=30)))\n",
    "position": f"{DATACLASS}    task_time_limit: int\n{SOFT}app.conf.update(asdict(Conf(30)))\n",
    "position in a derived class": (
        f"{DATACLASS}    task_time_limit: int\n@dataclass\nclass Ours(Conf):\n    task_soft_time_limit: int\n"
        "app.conf.update(asdict(Ours(30, 20)))\n"
    ),
    "class variables are no fields": (
        f"{DATACLASS}    task_time_limit: int\n    task_acks_late: ClassVar[bool] = True\n{SOFT}"
        "app.conf.update(asdict(Conf(30)))\n"
    ),
    "default": f"{DATACLASS}    task_time_limit: int = field(default=30)\n{SOFT}app.config_from_object(Conf())\n",
    "factory": (
        f"{DATACLASS}    all: dict = field(default_factory=lambda: {{'task_time_limit': 30}})\n{SOFT}"
        "app.conf.update(asdict(Conf())['all'], task_soft_time_limit=Conf().task_soft_time_limit)\n"
    ),
    "after the fields are filled": (
        f"{DATACLASS}{HARD}    task_soft_time_limit: int = 0\n    def __post_init__(self):\n"
        "        self.task_soft_time_limit = self.task_time_limit - 10\napp.config_from_object(Conf())\n"
    ),
    "model in a model": (
        f"{PYDANTIC}class Limits(BaseModel):\n{HARD}{SOFT}class Conf(BaseModel):\n    celery: Limits = Limits()\n"
        "app.conf.update(Conf().model_dump()['celery'])\n"
    ),
    "dict of the older pydantic": f"{PYDANTIC}class Conf(BaseModel):\n{HARD}{SOFT}app.conf.update(**Conf().dict())\n",
    "without None": (
        f"{PYDANTIC}class Conf(BaseModel):\n{HARD}{SOFT}    task_acks_late: bool | None = None\n"
        "app.conf.task_acks_late = False\napp.conf.update(Conf().model_dump(exclude_none=True))\n"
    ),
}


@pytest.mark.parametrize("lines", CONFIGURED.values(), ids=CONFIGURED.keys())
def test_fields_that_configure_an_app(tmp_path: Path, lines: str) -> None:
    tasks = "from shop.celery import app\n@app.task\ndef pay(): ...\n"
    files = {**APP, "shop/celery.py": f"{APP['shop/celery.py']}{lines}", "shop/tasks.py": tasks}
    reading = facts_of(tmp_path, files)
    assert reading.values("pay", "time_limit", "soft_time_limit", "acks_late") == (30, 20, False)


SETTINGS = {
    "plain": ("    LIMIT: int = 30\n", Default(30, "LIMIT")),
    "field": ("    LIMIT: int = Field(default=30, ge=1)\n", Default(30, "LIMIT")),
    "field by position": ("    LIMIT: int = Field(30)\n", Default(30, "LIMIT")),
    "prefix": (
        "    model_config = SettingsConfigDict(env_prefix='SHOP_')\n    LIMIT: int = 30\n",
        Default(30, "SHOP_LIMIT"),
    ),
    "prefix of the older pydantic": (
        "    class Config:\n        env_prefix = 'SHOP_'\n    LIMIT: int = 30\n",
        Default(30, "SHOP_LIMIT"),
    ),
    "required": ("    LIMIT: int = Field(...)\n", Unread("environment variable LIMIT")),
    "filled by a validator": (
        "    LIMIT: int | None = None\n    @field_validator('LIMIT')\n    def fill(cls, given): return 30\n",
        Unread("Conf.LIMIT, which a validator may set"),
    ),
}


@pytest.mark.parametrize(("body", "limit"), SETTINGS.values(), ids=SETTINGS.keys())
def test_a_task_that_asks_settings_of_pydantic(tmp_path: Path, body: str, limit: object) -> None:
    config = f"{PYDANTIC}from pydantic import field_validator\nclass Conf(BaseSettings):\n{body}settings = Conf()\n"
    tasks = (
        "from shop.celery import app\nfrom shop.config import settings\n"
        "@app.task(time_limit=settings.LIMIT)\ndef pay(): ...\n"
    )
    reading = facts_of(tmp_path, {**APP, "shop/config.py": config, "shop/tasks.py": tasks})
    assert reading.value("pay", "time_limit") == limit


def test_a_dump_that_leaves_out_fields_of_its_own_choice_is_not_read(tmp_path: Path) -> None:
    lines = f"{PYDANTIC}class Conf(BaseModel):\n{HARD}app.conf.update(Conf().model_dump(exclude_unset=True))\n"
    tasks = "from shop.celery import app\n@app.task\ndef pay(): ...\n"
    files = {**APP, "shop/celery.py": f"{APP['shop/celery.py']}{lines}", "shop/tasks.py": tasks}
    assert isinstance(facts_of(tmp_path, files).value("pay", "time_limit"), Unread)
