"""Every way in which projects declare tasks: each is found, once, at its place, with its options."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.lint.project.readings import APP, Reading, facts_of

IMPORT = "from celery import shared_task\nfrom shop.celery import app\n"


def read(tmp_path: Path, tasks: str, **more: str) -> Reading:
    """A package with an app, ``shop/tasks.py`` and more modules of it."""
    files = {f"shop/{name}.py": text for name, text in more.items()}
    return facts_of(tmp_path, {**APP, "shop/tasks.py": tasks, **files})


# --- decorators ---------------------------------------------------------------------------------------------------

DECORATORS = {
    "bare": f"{IMPORT}@app.task\ndef pay(): ...\n",
    "with brackets": f"{IMPORT}@app.task()\ndef pay(): ...\n",
    "shared": f"{IMPORT}@shared_task\ndef pay(): ...\n",
    "shared with brackets": f"{IMPORT}@shared_task()\ndef pay(): ...\n",
    "shared by module": "import celery\n\n@celery.shared_task\ndef pay(): ...\n",
    "shared from celery.app": "\nfrom celery.app import shared_task\n@shared_task\ndef pay(): ...\n",
    "alias of an import": "\nfrom celery import shared_task as job\n@job\ndef pay(): ...\n",
    "alias by assignment": f"{IMPORT}job = app.task\n@job\ndef pay(): ...\n",
    "async": f"{IMPORT}@app.task\nasync def pay(): ...\n",
    "app by module": "import shop.celery\n\n@shop.celery.app.task\ndef pay(): ...\n",
    "relative import": "from .celery import app\n\n@app.task\ndef pay(): ...\n",
    "legacy task": "\nfrom celery.task import task\n@task\ndef pay(): ...\n",
    "legacy task of the package": "\nfrom celery import task\n@task\ndef pay(): ...\n",
    "legacy decorators": "\nfrom celery.decorators import task\n@task()\ndef pay(): ...\n",
    "legacy periodic task": "\nfrom celery.task import periodic_task\n@periodic_task(run_every=60)\ndef pay(): ...\n",
    "current_app": "from celery import current_app\n\n@current_app.task\ndef pay(): ...\n",
}


@pytest.mark.parametrize("source", DECORATORS.values(), ids=DECORATORS.keys())
def test_a_decorated_function_is_one_task_at_the_line_of_its_decorator(tmp_path: Path, source: str) -> None:
    line = source[: source.index("@")].count("\n") + 1
    assert read(tmp_path, source).places == {"shop.tasks.pay": f"shop/tasks.py:{line}"}


FORMS = {
    "task": "@app.task(time_limit=7, name='x.pay')",
    "shared_task": "@shared_task(time_limit=7, name='x.pay')",
}


@pytest.mark.parametrize(("form", "decorator"), FORMS.items())
def test_options_and_a_name_are_read(tmp_path: Path, form: str, decorator: str) -> None:
    reading = read(tmp_path, f"{IMPORT}{decorator}\ndef pay(): ...\n")
    assert (reading.task("pay")["form"], reading.names) == (form, ["x.pay"])
    assert reading.value("pay", "time_limit") == 7


WRAPPED = {
    "function that gets the function": "def job(f):\n    return app.task(f, time_limit=7)\n@job\ndef pay(): ...\n",
    "function that returns the decorator": (
        "def job(**options):\n    return app.task(time_limit=7, **options)\n@job(acks_late=True)\ndef pay(): ...\n"
    ),
    "decorator inside": (
        "def job(**options):\n    def decorate(f):\n        return app.task(**options)(f)\n    return decorate\n"
        "@job(time_limit=7)\ndef pay(): ...\n"
    ),
    "with functools.wraps": (
        "import functools\ndef job(**options):\n    def decorate(f):\n        @functools.wraps(f)\n"
        "        def inner(*args):\n            return f(*args)\n        return app.task(**options)(inner)\n"
        "    return decorate\n@job(time_limit=7)\ndef pay(): ...\n"
    ),
    "inner function decorated": (
        "import functools\ndef job(**options):\n    def decorate(f):\n        @app.task(**options)\n"
        "        @functools.wraps(f)\n        def inner(*args):\n            return f(*args)\n        return inner\n"
        "    return decorate\n@job(time_limit=7)\ndef pay(): ...\n"
    ),
    "renaming": (
        "def job(timeout, **options):\n    return app.task(time_limit=timeout, **options)\n"
        "@job(timeout=7)\ndef pay(): ...\n"
    ),
    "two levels": (
        "def job(**o):\n    return app.task(**o)\ndef quick(**o):\n    o.setdefault('time_limit', 7)\n"
        "    return job(**o)\n@quick()\ndef pay(): ...\n"
    ),
    "three levels, renaming and injecting": (
        "def job(*args, **o):\n    return app.task(*args, **o)\n"
        "def limited(limit=None, **o):\n    return job(time_limit=limit, **o)\n"
        "def quick(seconds, **o):\n    return limited(limit=seconds + 2, max_retries=1, **o)\n"
        "@quick(seconds=5)\ndef pay(): ...\n"
    ),
    "bare and with options": (
        "def job(f=None, **o):\n    def decorate(g):\n        return app.task(time_limit=7, **o)(g)\n"
        "    return decorate(f) if f is not None else decorate\n@job\ndef pay(): ...\n"
    ),
    "callable asked for": (
        "def job(*args, **o):\n    o['time_limit'] = 7\n    if len(args) == 1 and callable(args[0]):\n"
        "        return app.task(**o)(args[0])\n    return app.task(*args, **o)\n@job\ndef pay(): ...\n"
    ),
    "decorator class": (
        "class job:\n    def __init__(self, **o):\n        self.o = o\n    def __call__(self, f):\n"
        "        return app.task(time_limit=7, **self.o)(f)\n@job()\ndef pay(): ...\n"
    ),
    "object with a method": (
        "class Registry:\n    def task(self, **o):\n        return app.task(time_limit=7, **o)\njobs = Registry()\n"
        "@jobs.task()\ndef pay(): ...\n"
    ),
    "pre-bound": "retrying = shared_task(time_limit=7)\n@retrying\ndef pay(): ...\n",
    "functools.partial": "import functools\njob = functools.partial(app.task, time_limit=7)\n@job()\ndef pay(): ...\n",
    "functools.partial, bare": (
        "from functools import partial\njob = partial(shared_task, time_limit=7)\n@job\ndef pay(): ...\n"
    ),
    "lambda": "job = lambda **o: app.task(time_limit=7, **o)\n@job()\ndef pay(): ...\n",
    "call form": "def pay(): ...\npay = app.task(time_limit=7)(pay)\n",
    "call form with the function": "def pay(): ...\npay_task = app.task(pay, time_limit=7)\n",
    "another decorator inside": ("def log(f):\n    return f\n@app.task(time_limit=7)\n@log\ndef pay(): ...\n"),
    "another decorator outside": ("import other\n@other.log\n@app.task(time_limit=7)\ndef pay(): ...\n"),
    "a decorator outside that is not in the tree": (
        "from sentry import monitor\n@monitor(slug='x')\n@app.task(time_limit=7)\ndef pay(): ...\n"
    ),
    "a decorator inside that is not in the tree": (
        "from django.db import transaction\n@app.task(time_limit=7)\n@transaction.atomic\ndef pay(): ...\n"
    ),
    "a loop": "def pay(): ...\nfor limit in (7,):\n    app.task(time_limit=limit)(pay)\n",
    "venusian": (
        "import venusian\nclass job:\n    def __init__(self, **o):\n        self.o = o\n"
        "    def __call__(self, wrapped):\n        def callback(scanner, name, ob):\n"
        "            scanner.registry = app.task(time_limit=7, **self.o)(wrapped)\n"
        "        venusian.attach(wrapped, callback, category='jobs')\n        return wrapped\n"
        "@job()\ndef pay(): ...\n"
    ),
    "attribute set afterwards": "@app.task\ndef pay(): ...\npay.time_limit = 7\n",
}


@pytest.mark.parametrize("source", WRAPPED.values(), ids=WRAPPED.keys())
def test_wrappers_and_calls_are_followed_to_their_options(tmp_path: Path, source: str) -> None:
    reading = read(tmp_path, IMPORT + source)
    lines = (IMPORT + source).splitlines()
    first = lines.index("def pay(): ...") + 1
    while lines[first - 2].startswith("@"):
        first -= 1
    assert reading.places == {"shop.tasks.pay": f"shop/tasks.py:{first}"}
    assert reading.value("pay", "time_limit") == 7


def test_a_wrapper_in_another_module_under_another_name_is_found(tmp_path: Path) -> None:
    """The module with the task never says "celery": the second stage follows the exported name."""
    reading = read(
        tmp_path,
        "from shop.jobs import background\n@background(timeout=7)\ndef pay(): ...\n",
        jobs="from shop.celery import app\ndef background(timeout):\n    return app.task(time_limit=timeout)\n",
    )
    assert reading.places == {"shop.tasks.pay": "shop/tasks.py:2"}
    assert reading.value("pay", "time_limit") == 7


def test_a_wrapper_through_two_modules_is_found(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        "from shop.lib import background\n@background\ndef pay(): ...\n",
        jobs="from celery import shared_task\nbackground = shared_task(time_limit=7)\n",
        lib="from shop.jobs import background\n",
    )
    assert reading.value("pay", "time_limit") == 7


def test_a_task_keeps_the_name_of_the_function_that_wraps_says(tmp_path: Path) -> None:
    source = WRAPPED["with functools.wraps"].replace("@functools.wraps(f)\n", "pass\n")
    reading = read(tmp_path, IMPORT + source)
    assert reading.names == ["shop.tasks.inner"]
    assert read(tmp_path, IMPORT + WRAPPED["with functools.wraps"]).names == ["shop.tasks.pay"]


# --- classes ------------------------------------------------------------------------------------------------------

TASK = "from celery import Task\nfrom shop.celery import app\n"
CLASSES = {
    "instance registered": "class Pay(Task):\n    time_limit = 7\n    def run(self): ...\napp.register_task(Pay())\n",
    "class registered": "class Pay(Task):\n    time_limit = 7\n    def run(self): ...\napp.register_task(Pay)\n",
    "app.Task as base": (
        "class Pay(app.Task):\n    time_limit = 7\n    def run(self): ...\npay = app.register_task(Pay())\n"
    ),
    "registered in app.tasks": (
        "class Pay(Task):\n    time_limit = 7\n    def run(self): ...\napp.tasks.register(Pay())\n"
    ),
    "decorated": "@app.task(time_limit=7)\nclass Pay(Task):\n    def run(self): ...\n",
    "inherited": (
        "class Base(Task):\n    abstract = True\n    time_limit = 7\n"
        "class Pay(Base):\n    def run(self): ...\napp.register_task(Pay())\n"
    ),
    "mixin": (
        "class Quick:\n    time_limit = 7\nclass Pay(Quick, Task):\n    def run(self): ...\napp.register_task(Pay())\n"
    ),
    "__init_subclass__": (
        "class Base(Task):\n    time_limit = 7\n    def __init_subclass__(cls, **kwargs):\n"
        "        super().__init_subclass__(**kwargs)\n        app.register_task(cls())\n"
        "class Pay(Base):\n    def run(self): ...\n"
    ),
    "class body computes": (
        "class Pay(Task):\n    minutes = 1\n    time_limit = minutes * 7\n    def run(self): ...\n"
        "app.register_task(Pay())\n"
    ),
}


@pytest.mark.parametrize("source", CLASSES.values(), ids=CLASSES.keys())
def test_a_class_that_is_registered_is_one_task(tmp_path: Path, source: str) -> None:
    reading = read(tmp_path, TASK + source)
    assert [name.rpartition(".")[2] for name in reading.names] == ["Pay"]
    assert reading.task("Pay")["form"] == "class"
    assert reading.value("Pay", "time_limit") == 7


def test_a_class_that_nobody_registers_is_no_task(tmp_path: Path) -> None:
    assert read(tmp_path, f"{TASK}class Base(Task):\n    time_limit = 7\n    def run(self): ...\n").names == []


def test_the_attribute_name_names_a_class_task(tmp_path: Path) -> None:
    body = "class Pay(Task):\n    name = 'shop.pay'\n    def run(self): ...\napp.register_task(Pay())\n"
    assert read(tmp_path, TASK + body).names == ["shop.pay"]


def test_a_class_of_ours_is_one_task_of_the_app_that_registers_it(tmp_path: Path) -> None:
    celery = "from safecelery import create_app\nother = create_app('other')\nother.conf.task_acks_late = True\n"
    celery += "app = create_app('shop')\n"
    tasks = (
        "from safecelery import SafeTask\nfrom shop.celery import app\n"
        "class Pay(SafeTask):\n    def run(self): ...\napp.register_task(Pay())\n"
    )
    reading = facts_of(tmp_path, {**APP, "shop/celery.py": celery, "shop/tasks.py": tasks})
    assert reading.names == ["shop.tasks.Pay"]
    assert reading.task("Pay")["app"] == "shop"


def test_celery_3_classes_register_themselves(tmp_path: Path) -> None:
    source = (
        "from celery.task import Task\nclass Base(Task):\n    abstract = True\n"
        "class Pay(Base):\n    time_limit = 7\n    def run(self): ...\n"
    )
    reading = read(tmp_path, source)
    assert reading.names == ["shop.tasks.Pay"]
    assert reading.value("Pay", "time_limit") == 7


def test_a_name_that_an_app_makes_with_the_help_of_celerys_own(tmp_path: Path) -> None:
    app = (
        "from celery import Celery\nclass Shop(Celery):\n    def gen_task_name(self, name, module):\n"
        "        return super().gen_task_name(name, module.removesuffix('.tasks'))\napp = Shop('shop')\n"
    )
    tasks = "from shop.celery import app\n@app.task\ndef pay(): ...\n"
    assert facts_of(tmp_path, {**APP, "shop/celery.py": app, "shop/tasks.py": tasks}).names == ["shop.pay"]
