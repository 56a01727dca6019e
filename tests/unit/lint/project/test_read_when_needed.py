"""A module that has nothing to do with Celery is read only for a value that matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.lint.project.readings import APP, facts_of

BROKEN = "class Reply:\n    ok = (\n"
"""Whoever reads it says so."""
HEAD = "from shop.celery import app\nfrom shop.far import Reply, READ_S\nimport web\n"

NOT_NEEDED = {
    "what a decorator outside gets": "@web.post('/', reply=Reply)\ndef view(): ...\n",
    "what a router gets": "router = web.Router()\n@router.post('/', reply=Reply.ok)\ndef view(): ...\n",
    "what a router of another router gets": (
        "outer = web.Router()\nrouter = outer.below('/')\n@router.post('/', reply=Reply)\ndef view(): ...\n"
    ),
    "the default of a parameter": "def view(reply=web.Depends(Reply.ok), other=READ_S): ...\n",
    "what a call outside gets": "web.configure(Reply, reads=READ_S)\n",
    "what a call within it gets": "web.configure(web.Options(Reply.ok), **web.more(READ_S))\n",
    "what an object from outside gets": "server = web.Server()\nserver.options.add(Reply)\n",
    "parts of a list": "replies = [Reply.ok, web.Reply]\nmore = (READ_S, Reply.ok)\n",
    "a list that is handed on": "replies = [Reply.ok]\nweb.configure(replies)\n",
    "in a function": "def setup():\n    web.configure(Reply.ok)\n    app.conf.task_time_limit = 7\nsetup()\n",
}
NEEDED = {
    "an option of a task": "@app.task(time_limit=READ_S)\ndef pay(): ...\n",
    "a setting": "app.conf.task_time_limit = READ_S\n",
    "a list in a setting": "limits = [Reply.ok]\napp.conf.task_time_limit = limits[0]\n",
    "a default that counts": "def limit(s=READ_S):\n    app.conf.task_time_limit = s\nlimit()\n",
    "what decides": "if READ_S > 3:\n    app.conf.task_time_limit = 3\n",
}


@pytest.mark.parametrize("source", NOT_NEEDED.values(), ids=NOT_NEEDED.keys())
def test_it_is_not_read(tmp_path: Path, source: str) -> None:
    reading = facts_of(tmp_path, {**APP, "shop/far.py": BROKEN, "shop/views.py": HEAD + source})
    assert reading.document["unparsed"] == []


@pytest.mark.parametrize("source", NEEDED.values(), ids=NEEDED.keys())
def test_it_is_read(tmp_path: Path, source: str) -> None:
    reading = facts_of(tmp_path, {**APP, "shop/far.py": BROKEN, "shop/views.py": HEAD + source})
    assert [unparsed["file"] for unparsed in reading.document["unparsed"]] == ["shop/far.py"]


ACTING = {
    "a function that configures": "def make():\n    app.conf.task_time_limit = 7\nweb.run(make())\n",
    "deep inside": "def make():\n    app.conf.task_time_limit = 7\nweb.run(web.wrap([1, {'a': make()}]))\n",
    "of what is called": "def make():\n    app.conf.task_time_limit = 7\nweb.run(make()).now()\n",
    "in a keyword": "def make():\n    app.conf.task_time_limit = 7\nweb.run(c=make())\n",
    "in a decorator": "def make():\n    app.conf.task_time_limit = 7\n@web.get(make())\ndef view(): ...\n",
    "an update": "web.run(app.conf.update(task_time_limit=7))\n",
}


@pytest.mark.parametrize("source", ACTING.values(), ids=ACTING.keys())
def test_what_a_call_outside_gets_still_acts(tmp_path: Path, source: str) -> None:
    tasks = "@app.task\ndef pay(): ...\n"
    reading = facts_of(tmp_path, {**APP, "shop/far.py": BROKEN, "shop/views.py": HEAD + source + tasks})
    assert reading.value("pay", "time_limit") == 7
    assert reading.document["unparsed"] == []


def test_a_factory_that_is_called_for_a_server_configures_what_it_reaches(tmp_path: Path) -> None:
    """The module of the factory says nothing of Celery; what it calls does, with what it is given."""
    files = {
        "shop/setup.py": (
            "from shop.celery import app\ndef init(limits):\n    app.conf.task_time_limit = limits['hard']\n"
        ),
        "shop/factory.py": "from shop.setup import init\ndef make():\n    init({'hard': 7})\n    return object()\n",
        "shop/serve.py": "import waitress\nfrom shop.factory import make\nwaitress.serve(make(), port=80)\n"
        "from shop.celery import app\n@app.task\ndef pay(): ...\n",
    }
    assert facts_of(tmp_path, {**APP, **files}).value("pay", "time_limit") == 7


def test_a_default_means_the_name_as_it_was(tmp_path: Path) -> None:
    source = "limit = 7\ndef set_it(s=limit):\n    app.conf.task_time_limit = s\nlimit = 9\nset_it()\n"
    reading = facts_of(
        tmp_path, {**APP, "shop/far.py": BROKEN, "shop/views.py": HEAD + source + "@app.task\ndef pay(): ...\n"}
    )
    assert reading.value("pay", "time_limit") == 7


def test_names_that_lead_to_each_other_end(tmp_path: Path) -> None:
    source = "a = b.x\nb = a.y\na.run()\n@a.route\ndef view(): ...\n@app.task\ndef pay(): ...\n"
    reading = facts_of(tmp_path, {**APP, "shop/far.py": BROKEN, "shop/views.py": HEAD + source})
    assert reading.names == ["shop.views.pay"]
