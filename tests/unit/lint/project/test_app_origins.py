"""Where the app of a task comes from: it is followed to where it is made, however it is passed on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.lint.project.readings import APP, Unread, facts_of

APPS = {
    "package re-export": ({"shop/__init__.py": "from .celery import app\n"}, "from shop import app"),
    "re-export under another name": (
        {"shop/__init__.py": "from .celery import app as worker\n"}, "from shop import worker as app",
    ),
    "factory": (
        {"shop/celery.py": "from celery import Celery\ndef make():\n    made = Celery('shop')\n    return made\n"
                           "app = make()\n"},
        "from shop.celery import app",
    ),
    "factory with kwargs": (
        {"shop/celery.py": "from celery import Celery\ndef make(name, **conf):\n    made = Celery(name)\n"
                           "    made.conf.update(conf)\n    return made\napp = make('shop', task_acks_late=True)\n"},
        "from shop.celery import app",
    ),
    "lazy proxy": (
        {"shop/celery.py": "from celery import Celery\nfrom werkzeug.local import LocalProxy\n"
                           "real = Celery('shop')\napp = LocalProxy(lambda: real)\n"},
        "from shop.celery import app",
    ),
    "celery's own proxy": (
        {"shop/celery.py": "from celery import Celery\nfrom celery.local import Proxy\nreal = Celery('shop')\n"
                           "def get():\n    return real\napp = Proxy(get)\n"},
        "from shop.celery import app",
    ),
    "subclass of Celery": (
        {"shop/celery.py": "from celery import Celery\nclass Mine(Celery):\n    pass\napp = Mine('shop')\n"},
        "from shop.celery import app",
    ),
    "subclass in another module": (
        {"shop/base.py": "import celery\nclass Mine(celery.Celery):\n    def on_configure(self): ...\n",
         "shop/celery.py": "from shop.base import Mine\napp = Mine('shop')\n"},
        "from shop.celery import app",
    ),
    "star import": ({"shop/celery.py": "from celery import *\nfrom celery import Celery\napp = Celery('shop')\n",
                     "shop/all.py": "from shop.celery import *\n"}, "from shop.all import *"),
    "imported in a function's module": ({}, "import shop.celery as c\napp = c.app"),
    "under try": ({"shop/fallback.py": ""},
                  "try:\n    from shop.celery import app\nexcept ImportError:\n    app = None"),
    "annotated": ({"shop/celery.py": "from celery import Celery\napp: Celery = Celery('shop')\n"},
                  "from shop.celery import app"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "imports"), APPS.values(), ids=APPS.keys())
def test_the_app_is_followed_to_where_it_is_made(tmp_path: Path, files: dict[str, str], imports: str) -> None:
    tasks = f"{imports}\n@app.task(time_limit=7)\ndef pay(): ...\n"
    reading = facts_of(tmp_path, {**APP, **files, "shop/tasks.py": tasks})
    assert reading.names == ["shop.tasks.pay"]
    task = reading.task("pay")
    assert (task["form"], task["app"], reading.value("pay", "time_limit")) == ("task", "shop", 7)


def test_a_subclass_that_overrides_task_injects_its_options(tmp_path: Path) -> None:
    celery = (
        "from celery import Celery\nclass Mine(Celery):\n    def task(self, *args, **opts):\n"
        "        opts.setdefault('time_limit', 7)\n        return super().task(*args, **opts)\napp = Mine('shop')\n"
    )
    tasks = "from shop.celery import app\n@app.task\ndef pay(): ...\n@app.task(time_limit=9)\ndef slow(): ...\n"
    reading = facts_of(tmp_path, {**APP, "shop/celery.py": celery, "shop/tasks.py": tasks})
    assert [reading.value(name, "time_limit") for name in ("pay", "slow")] == [7, 9]


def test_an_app_outside_the_tree_gives_tasks_whose_settings_are_unknown(tmp_path: Path) -> None:
    source = "from other_celery_package.celery import app\n@app.task(time_limit=7)\ndef pay(): ...\n"
    reading = facts_of(tmp_path, {**APP, "shop/tasks.py": source})
    assert reading.task("pay")["form"] == "external"
    assert reading.value("pay", "time_limit") == 7
    assert isinstance(reading.value("pay", "acks_late"), Unread)
