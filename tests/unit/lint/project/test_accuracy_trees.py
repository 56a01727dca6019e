"""Trees as people really have them: what must not be claimed, and what can be read although it is written oddly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.lint.project.readings import APP, DJANGO, Default, Unread, facts_of

TASK = "from shop.celery import app\n@app.task\ndef pay(): ...\n"


@pytest.mark.parametrize("marker", ["pyproject.toml", "requirements.txt", "manage.py"])
def test_a_project_folder_that_holds_an_init_file_is_no_package(tmp_path: Path, marker: str) -> None:
    files = {**APP, "__init__.py": "", marker: "", "shop/tasks.py": TASK}
    reading = facts_of(tmp_path, files)
    assert reading.task("pay")["app"] == "shop"
    assert reading.names == ["shop.tasks.pay"]


def test_a_settings_class_that_exports_itself_into_its_module(tmp_path: Path) -> None:
    base = (
        "import inspect, sys\n"
        "class Settings:\n"
        "    @classmethod\n"
        "    def load(cls, name):\n"
        "        self = cls()\n"
        "        for member, value in inspect.getmembers(self):\n"
        "            if member.isupper() and not member.startswith('_'):\n"
        "                setattr(sys.modules[name], member, value)\n"
    )
    settings = (
        "from .base import Settings\n"
        "class Production(Settings):\n"
        "    CELERY_TASK_TIME_LIMIT = 30\n"
        "    @property\n"
        "    def CELERY_TASK_SOFT_TIME_LIMIT(self):\n"
        "        return self.CELERY_TASK_TIME_LIMIT - 5\n"
        "Production.load(__name__)\n"
    )
    reading = facts_of(tmp_path, {**DJANGO, "shop/base.py": base, "shop/settings.py": settings})
    assert reading.values("pay", "time_limit", "soft_time_limit") == (30, 25)


@pytest.mark.parametrize(
    ("settings", "blocker"),
    [
        ("exec(open('/etc/shop/settings.py').read())\n", "exec(...(...)) at line 1"),
        ("import lost\nglobals().update(lost.settings())\n", "names set through globals()"),
        ("import lost\nfor name in lost.names():\n    globals()[name] = 1\n", "names set through globals()"),
        (
            "import dynaconf\nsettings = dynaconf.DjangoDynaconf(__name__)\n",
            "dynaconf.DjangoDynaconf(__name__) at line 2",
        ),
        ("CELERY_TASK_TIME_LIMIT = 3\n{{ template }}\nX = (\n", "shop/settings.py, of which a part could not be read"),
    ],
)
def test_settings_that_may_hold_more_claim_no_defaults(tmp_path: Path, settings: str, blocker: str) -> None:
    value = facts_of(tmp_path, {**DJANGO, "shop/settings.py": settings}).value("pay", "acks_late")
    assert isinstance(value, Unread)
    assert value.blocker.startswith(blocker.partition("(")[0])


def test_a_loop_over_the_environment_sets_nothing_that_is_not_there(tmp_path: Path) -> None:
    settings = (
        "import os\n"
        "CELERY_TASK_TIME_LIMIT = 3\n"
        "for name, value in os.environ.items():\n"
        "    if name.startswith('SHOP_'):\n"
        "        globals()[name[5:]] = value\n"
    )
    reading = facts_of(tmp_path, {**DJANGO, "shop/settings.py": settings})
    assert reading.values("pay", "time_limit", "acks_late") == (3, False)


def test_a_configuration_class_of_an_installed_package_leaves_open_what_it_may_state(tmp_path: Path) -> None:
    conf = "from company.settings import Base\nclass Config(Base):\n    task_time_limit = 3\n"
    files = {**APP, "shop/conf.py": conf, "shop/tasks.py": TASK}
    files["shop/celery.py"] += "from shop.conf import Config\napp.config_from_object(Config)\n"
    reading = facts_of(tmp_path, files)
    assert reading.value("pay", "time_limit") == 3
    assert reading.value("pay", "acks_late") == Unread("base class company.settings.Base, outside the tree")


def test_an_app_kept_under_a_key_is_the_app_of_what_asks_for_the_key(tmp_path: Path) -> None:
    files = {
        "shop/__init__.py": "",
        "shop/celery.py": (
            "import venusian\n"
            "from celery import Celery\n"
            "def task(**options):\n"
            "    def decorate(wrapped):\n"
            "        def callback(scanner, name, wrapped):\n"
            "            scanner.config.registry['celery.app'].task(**options)(wrapped)\n"
            "        venusian.attach(wrapped, callback)\n"
            "        return wrapped\n"
            "    return decorate\n"
            "def includeme(config):\n"
            "    config.registry['celery.app'] = Celery('shop')\n"
            "    config.registry['celery.app'].conf.update(task_time_limit=7)\n"
        ),
        "shop/tasks.py": "from shop.celery import task\n@task(acks_late=True)\ndef pay(): ...\n",
    }
    reading = facts_of(tmp_path, files)
    assert reading.values("pay", "time_limit", "acks_late") == (7, True)


def test_a_method_of_the_app_that_configures_it_is_taken_to_be_called(tmp_path: Path) -> None:
    files = {
        **APP,
        "shop/celery.py": (
            "from celery import Celery\n"
            "class Shop(Celery):\n"
            "    def init_app(self, web):\n"
            "        self.conf['task_serializer'] = 'pickle'\n"
            "app = Shop('shop')\n"
        ),
        "shop/tasks.py": TASK,
    }
    assert facts_of(tmp_path, files).value("pay", "serializer") == "pickle"


def test_an_import_that_leads_back_to_itself_means_the_submodule(tmp_path: Path) -> None:
    files = {
        **APP,
        "shop/limits/__init__.py": "from shop.limits import hard\n",
        "shop/limits/hard.py": "PAY = 9\n",
        "shop/tasks.py": (
            "from shop.celery import app\nfrom shop import limits\n"
            "@app.task(time_limit=limits.hard.PAY)\ndef pay(): ...\n"
        ),
    }
    assert facts_of(tmp_path, files).value("pay", "time_limit") == 9


SETTER = """
class S:
    @property
    def x(self):
        return self._x
    @x.setter
    def x(self, value):
        self._x = value * 2
s = S()
s.x = 4
X = s.x
"""
DATACLASS = """
from dataclasses import dataclass, field, replace
@dataclass
class C:
    x: int = field(default=3)
    y: int = 4
X = replace(C(), y=9).y + C().x
"""


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ("import sys\nX = 1 if 'test' in sys.argv else 2\n", 2),
        ("import sys\nX = 1 if len(sys.argv) > 1 and sys.argv[1] == 'test' else 2\n", 2),
        ("from sys import platform\nX = 1 if platform == 'win32' else 2\n", 2),
        ("from enum import Enum\nclass Level(Enum):\n    LOW = 2\nX = Level['LOW'].value\n", 2),
        ("mode = 'slow'\nmatch mode:\n    case 'fast' | 'faster':\n        X = 1\n    case _:\n        X = 2\n", 2),
        ("X = 1\nwhile X < 10:\n    X *= 3\n", 27),
        ("first, *rest = 1, 2, 3\nX = rest[0]\n", 2),
        ("X = 2 if any(n > 3 for n in (1, 4)) else 1\n", 2),
        (SETTER, 8),
        ("class S:\n    D = {'x': 5}\n    def __getattr__(self, name): return self.D[name]\nX = S().x\n", 5),
        ("import contextlib as c\nX = 1\nwith c.suppress(ImportError):\n    from .nowhere import *\n    X = 2\n", 1),
        (DATACLASS, 12),
    ],
)  # fmt: skip
def test_settings_that_compute(tmp_path: Path, settings: str, limit: int) -> None:
    files = {**DJANGO, "shop/settings.py": settings + "CELERY_TASK_TIME_LIMIT = X\n"}
    assert facts_of(tmp_path, files).value("pay", "time_limit") == limit


def test_a_file_that_is_looked_for_is_taken_not_to_be_there(tmp_path: Path) -> None:
    settings = (
        "from pathlib import Path\n"
        "HERE = Path(__file__).resolve().parent\n"
        "CELERY_TASK_TIME_LIMIT = 1 if (HERE / 'local.cfg').exists() else 2\n"
    )
    value = facts_of(tmp_path, {**DJANGO, "shop/settings.py": settings}).value("pay", "time_limit")
    assert value == Default(2, "the file system")


def test_defaults_that_code_adds_hold_where_no_setting_says_otherwise(tmp_path: Path) -> None:
    files = {**APP, "shop/tasks.py": TASK}
    files["shop/celery.py"] += (
        "app.add_defaults(lambda: {'task_time_limit': 3, 'task_acks_late': True})\napp.conf.task_time_limit = 4\n"
    )
    assert facts_of(tmp_path, files).values("pay", "time_limit", "acks_late") == (4, True)


def test_a_list_of_annotations_is_asked_in_order(tmp_path: Path) -> None:
    files = {**APP, "shop/tasks.py": TASK}
    files["shop/celery.py"] += (
        "app.conf.task_annotations = [{'shop.tasks.pay': {'time_limit': 4}}, {'shop.tasks.pay': {'time_limit': 5}}]\n"
    )
    assert facts_of(tmp_path, files).value("pay", "time_limit") == 4


FLASK = (
    "from celery import Celery\n"
    "from flask import Flask\n"
    "web = Flask('shop')\n"
    "class Config:\n"
    "    SECRET = 'x'\n"
    "    CELERYD_TASK_TIME_LIMIT = 3\n"
    "{fill}\n"
    "app = Celery('shop')\n"
    "app.conf.update(web.config)\n"
)


@pytest.mark.parametrize(
    ("fill", "limits"),
    [
        ("web.config.from_object(Config)", (3, False)),
        ("web.config.from_object(Config)\nweb.config['CELERY_ACKS_LATE'] = True", (3, True)),
        ("web.config.from_object(Config)\nweb.config.update(CELERYD_TASK_TIME_LIMIT=4)", (4, False)),
        ("web.config.from_object(Config)\nweb.config.from_pyfile('x.py', silent=True)", (3, False)),
        ("web.config.from_object(Config)\nweb.config.from_pyfile('x.py')",
         (Unread("app.config.from_pyfile('x.py')"), Unread("app.config.from_pyfile('x.py')"))),
    ],
)  # fmt: skip
def test_an_app_that_takes_all_of_flasks_configuration(
    tmp_path: Path, fill: str, limits: tuple[object, object]
) -> None:
    files = {"shop/__init__.py": "", "shop/celery.py": FLASK.format(fill=fill), "shop/tasks.py": TASK}
    assert facts_of(tmp_path, files).values("pay", "time_limit", "acks_late") == limits


def test_what_init_sets_on_the_instance_of_a_class_task_counts(tmp_path: Path) -> None:
    source = (
        "from celery import Task\nfrom shop.celery import app\n"
        "class Pay(Task):\n"
        "    name = 'pay'\n"
        "    time_limit = 3\n"
        "    def __init__(self):\n"
        "        self.time_limit = 9\n"
        "    def run(self): ...\n"
        "app.register_task(Pay())\n"
    )
    assert facts_of(tmp_path, {**APP, "shop/tasks.py": source}).value("pay", "time_limit") == 9


def test_a_file_of_the_machine_that_need_not_be_there_is_taken_not_to_be_there(tmp_path: Path) -> None:
    settings = (
        "CELERY_TASK_TIME_LIMIT = 3\n"
        "try:\n"
        "    with open('local.py') as file:\n"
        "        exec(file.read(), globals())\n"
        "except OSError:\n"
        "    pass\n"
    )
    reading = facts_of(tmp_path, {**DJANGO, "shop/settings.py": settings})
    assert reading.values("pay", "time_limit", "acks_late") == (3, False)


def test_the_names_of_a_module_as_a_dict(tmp_path: Path) -> None:
    files = {**APP, "shop/conf.py": "import os\nCELERY_TASK_TIME_LIMIT = 4\nOTHER = 1\n", "shop/tasks.py": TASK}
    files["shop/celery.py"] += (
        "from shop import conf\n"
        "app.conf.update({k[7:].lower(): v for k, v in vars(conf).items() if k.startswith('CELERY_')})\n"
    )
    assert facts_of(tmp_path, files).values("pay", "time_limit", "acks_late") == (4, False)
