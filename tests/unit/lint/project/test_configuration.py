"""Every place from which Celery takes its settings: each is read, with Celery's own idea of which one wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.lint.project.readings import APP, DJANGO, Default, Reading, Unread, facts_of, lint_of

TASK = "from shop.celery import app\n@app.task\ndef pay(): ...\n"


def configured(tmp_path: Path, lines: str, **modules: str) -> Reading:
    """A plain app followed by ``lines``, a task, and more modules."""
    files = {f"shop/{name}.py": text for name, text in modules.items()}
    app = f"from celery import Celery\napp = Celery('shop')\n{lines}\n"
    return facts_of(tmp_path, {**APP, "shop/celery.py": app, "shop/tasks.py": TASK, **files})


def django(tmp_path: Path, settings: str, **more: str) -> Reading:
    """A Django project with these settings."""
    return facts_of(tmp_path, {**DJANGO, "shop/settings.py": settings, **more})


# --- by the app ---------------------------------------------------------------------------------------------------

PLAIN: dict[str, tuple[str, dict[str, str]]] = {
    "attribute": ("app.conf.task_time_limit = 30", {}),
    "item": ("app.conf['task_time_limit'] = 30", {}),
    "update by keyword": ("app.conf.update(task_time_limit=30)", {}),
    "update by dict": ("app.conf.update({'task_time_limit': 30})", {}),
    "update by module dict": ("CONF = {'task_time_limit': 30}\napp.conf.update(CONF)", {}),
    "update by spread": ("CONF = {'task_time_limit': 30}\napp.conf.update(**CONF)", {}),
    "by celery 3's name": ("app.conf.CELERYD_TASK_TIME_LIMIT = 30", {}),
    "last one wins": ("app.conf.task_time_limit = 5\napp.conf.update(task_time_limit=30)", {}),
    "setattr": ("setattr(app.conf, 'task_time_limit', 30)", {}),
    "loop": ("for k, v in {'task_time_limit': 30}.items():\n    setattr(app.conf, k, v)", {}),
    "in a function called": ("def configure(a):\n    a.conf.task_time_limit = 30\nconfigure(app)", {}),
    "module by name": ("app.config_from_object('shop.conf')", {"conf": "task_time_limit = 30\n"}),
    "module": ("from shop import conf\napp.config_from_object(conf)", {"conf": "task_time_limit = 30\n"}),
    "module with celery 3's names": ("app.config_from_object('shop.conf')", {"conf": "CELERYD_TASK_TIME_LIMIT = 30\n"}),
    "class by name": ("app.config_from_object('shop.conf:C')", {"conf": "class C:\n    task_time_limit = 30\n"}),
    "class by dots": ("app.config_from_object('shop.conf.C')", {"conf": "class C:\n    task_time_limit = 30\n"}),
    "class": ("class C:\n    task_time_limit = 30\napp.config_from_object(C)", {}),
    "instance": ("class C:\n    task_time_limit = 30\napp.config_from_object(C())", {}),
    "instance with __init__": (
        "class C:\n    def __init__(self):\n        self.task_time_limit = 30\napp.config_from_object(C())", {}),
    "inherited class": (
        "class B:\n    task_time_limit = 30\nclass C(B):\n    task_acks_late = True\napp.config_from_object(C)", {}),
    "overriding class": (
        "class B:\n    task_time_limit = 5\nclass C(B):\n    task_time_limit = 30\napp.config_from_object(C)", {}),
    "dict": ("app.config_from_object({'task_time_limit': 30})", {}),
    "update after object": (
        "app.config_from_object('shop.conf')\napp.conf.update(task_time_limit=30)", {"conf": "task_time_limit = 5\n"}),
    "update before object": (
        "app.conf.task_time_limit = 30\napp.config_from_object('shop.conf')", {"conf": "task_time_limit = 5\n"}),
    "object twice": (
        "app.config_from_object('shop.conf')\napp.config_from_object('shop.other')",
        {"conf": "task_time_limit = 5\n", "other": "task_time_limit = 30\n"}),
    "star import": (
        "app.config_from_object('shop.conf')",
        {"conf": "from shop.base import *\n", "base": "task_time_limit = 30\n"}),
    "star import, overridden": (
        "app.config_from_object('shop.conf')",
        {"conf": "from shop.base import *\ntask_time_limit = 30\n", "base": "task_time_limit = 5\n"}),
    "namespace in a module": (
        "app.config_from_object('shop.conf', namespace='CELERY')", {"conf": "CELERY_TASK_TIME_LIMIT = 30\n"}),
    "namespace positional": (
        "app.config_from_object('shop.conf', False, False, 'JOBS')", {"conf": "JOBS_TASK_TIME_LIMIT = 30\n"}),
    "lower-case namespace": (
        "app.config_from_object('shop.conf', namespace='jobs')", {"conf": "jobs_task_time_limit = 30\n"}),
    "namespace of the app": (
        "app.namespace = 'JOBS'\napp.config_from_object('shop.conf')", {"conf": "JOBS_TASK_TIME_LIMIT = 30\n"}),
    "from an environment variable that the program sets": (
        "import os\nos.environ['CONF'] = 'shop.conf'\napp.config_from_envvar('CONF')",
        {"conf": "task_time_limit = 30\n"}),
    "environment variable's default": (
        "import os\nos.environ.setdefault('CONF', 'shop.conf')\napp.config_from_envvar('CONF')",
        {"conf": "task_time_limit = 30\n"}),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "modules"), PLAIN.values(), ids=PLAIN.keys())
def test_every_way_of_configuring_an_app(tmp_path: Path, lines: str, modules: dict[str, str]) -> None:
    found = configured(tmp_path, lines, **modules).value("pay", "time_limit")
    assert found in (30, Default(30, "CONF"))


ARGUMENTS = {
    "keyword": "app = Celery('shop', task_time_limit=30)",
    "changes": "app = Celery('shop', changes={'task_time_limit': 30})",
    "config_source": "app = Celery('shop', config_source='shop.conf')",
    "config_source a class": "class C:\n    task_time_limit = 30\napp = Celery('shop', config_source=C)",
    "spread": "O = {'task_time_limit': 30}\napp = Celery('shop', **O)",
    "config_source and namespace": "app = Celery('shop', config_source='shop.jobs', namespace='JOBS')",
}


@pytest.mark.parametrize("make", ARGUMENTS.values(), ids=ARGUMENTS.keys())
def test_arguments_of_the_app(tmp_path: Path, make: str) -> None:
    files = {
        "shop/celery.py": f"from celery import Celery\n{make}\n",
        "shop/conf.py": "task_time_limit = 30\n",
        "shop/jobs.py": "JOBS_TASK_TIME_LIMIT = 30\n",
    }
    assert facts_of(tmp_path, {**APP, **files, "shop/tasks.py": TASK}).value("pay", "time_limit") == 30


def test_broker_backend_and_include_are_settings(tmp_path: Path) -> None:
    make = "app = Celery('shop', broker='redis://a', backend='redis://b', include=['shop.tasks'])"
    reading = facts_of(tmp_path, {**APP, "shop/celery.py": f"from celery import Celery\n{make}\n"})
    settings = [reading.setting(name) for name in ("broker_url", "result_backend", "include")]
    assert settings == ["redis://a", "redis://b", ["shop.tasks"]]


BASES = {
    "app.Task": "from shop.base import Base\napp = Celery('shop')\napp.Task = Base",
    "app.Task after configuration": (
        "from shop.base import Base\napp = Celery('shop')\napp.config_from_object('shop.conf')\napp.Task = Base"
    ),
    "task_cls": "from shop.base import Base\napp = Celery('shop', task_cls=Base)",
    "task_cls text with colon": "app = Celery('shop', task_cls='shop.base:Base')",
    "task_cls text with dot": "app = Celery('shop', task_cls='shop.base.Base')",
    "attribute of a subclass": ("class Mine(Celery):\n    task_cls = 'shop.base:Base'\napp = Mine('shop')"),
}


@pytest.mark.parametrize("make", BASES.values(), ids=BASES.keys())
def test_the_apps_own_base_class_gives_its_options(tmp_path: Path, make: str) -> None:
    files = {
        "shop/celery.py": f"from celery import Celery\n{make}\n",
        "shop/base.py": "from celery import Task\nclass Base(Task):\n    abstract = True\n    time_limit = 30\n",
        "shop/conf.py": "task_acks_late = True\n",
    }
    assert facts_of(tmp_path, {**APP, **files, "shop/tasks.py": TASK}).value("pay", "time_limit") == 30


# --- Django ---------------------------------------------------------------------------------------------------------

SETTINGS: dict[str, tuple[str, dict[str, str]]] = {
    "plain": ("CELERY_TASK_TIME_LIMIT = 30\n", {}),
    "computed": ("MINUTE = 60\nCELERY_TASK_TIME_LIMIT = MINUTE // 2\n", {}),
    "in an if that holds": ("DEBUG = False\nif not DEBUG:\n    CELERY_TASK_TIME_LIMIT = 30\n", {}),
    "in a try": ("try:\n    CELERY_TASK_TIME_LIMIT = 30\nexcept Exception:\n    pass\n", {}),
    "star import": ("from shop.base_settings import *\n",
                    {"shop/base_settings.py": "CELERY_TASK_TIME_LIMIT = 30\n"}),
    "star import of a relative module": ("from .base_settings import *\n",
                    {"shop/base_settings.py": "CELERY_TASK_TIME_LIMIT = 30\n"}),
    "local settings missing": (
        "CELERY_TASK_TIME_LIMIT = 30\ntry:\n    from .local import *\nexcept ImportError:\n    pass\n", {}),
    "local settings there": (
        "CELERY_TASK_TIME_LIMIT = 5\ntry:\n    from .local import *\nexcept ImportError:\n    pass\n",
        {"shop/local.py": "CELERY_TASK_TIME_LIMIT = 30\n"}),
    "split settings": (
        "from split_settings.tools import include, optional\ninclude('parts/*.py', optional('local.py'))\n",
        {"shop/parts/a.py": "CELERY_TASK_TIME_LIMIT = 5\n", "shop/parts/b.py": "CELERY_TASK_TIME_LIMIT = 30\n"}),
    "split settings see what stands before": (
        "from split_settings.tools import include\nLIMIT = 30\ninclude('parts/a.py')\n",
        {"shop/parts/a.py": "CELERY_TASK_TIME_LIMIT = LIMIT\n"}),
    "globals": ("for k, v in {'TIME_LIMIT': 30}.items():\n    globals()['CELERY_TASK_' + k] = v\n", {}),
    "unprefixed, plainly": ("CELERYD_TASK_TIME_LIMIT = 30\n", {}),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "files"), SETTINGS.values(), ids=SETTINGS.keys())
def test_django_settings(tmp_path: Path, settings: str, files: dict[str, str]) -> None:
    assert django(tmp_path, settings, **files).value("pay", "time_limit") == 30


def test_a_class_of_django_configurations_with_inheritance(tmp_path: Path) -> None:
    celery = DJANGO["shop/celery.py"].replace("app = ", "os.environ.setdefault('DJANGO_CONFIGURATION', 'Prod')\napp = ")
    settings = (
        "from configurations import Configuration\nclass Base(Configuration):\n"
        "    CELERY_TASK_TIME_LIMIT = 5\n    CELERY_TASK_ACKS_LATE = True\n"
        "    OPTIONS = {'a': 1}\nclass Prod(Base):\n    CELERY_TASK_TIME_LIMIT = 30\n"
        "    CELERY_BROKER_TRANSPORT_OPTIONS = {**Base.OPTIONS, 'b': 2}\n"
    )
    reading = facts_of(tmp_path, {**DJANGO, "shop/celery.py": celery, "shop/settings.py": settings})
    assert reading.values("pay", "time_limit", "acks_late") == (30, True)
    assert reading.setting("broker_transport_options") == {"a": 1, "b": 2}


def test_a_dict_setting_is_merged_over_modules(tmp_path: Path) -> None:
    reading = django(
        tmp_path,
        "from .base import *\nCELERY_BROKER_TRANSPORT_OPTIONS = {**OPTIONS, 'b': 2}\nOPTIONS['c'] = 3\n",
        **{"shop/base.py": "OPTIONS = {'a': 1}\n"},
    )
    assert reading.setting("broker_transport_options") == {"a": 1, "b": 2}


def test_tasks_may_read_the_settings_themselves(tmp_path: Path) -> None:
    tasks = (
        "from celery import shared_task\nfrom django.conf import settings\n"
        "@shared_task(time_limit=settings.PAY_LIMIT, "
        "soft_time_limit=getattr(settings, 'PAY_SOFT', 20))\ndef pay(): ...\n"
    )
    reading = django(tmp_path, "PAY_LIMIT = 30\n", **{"shop/tasks.py": tasks})
    assert reading.values("pay", "time_limit", "soft_time_limit") == (30, 20)


def test_the_settings_module_may_be_named_by_the_user(tmp_path: Path) -> None:
    files = {
        **DJANGO,
        "shop/settings.py": "CELERY_TASK_TIME_LIMIT = 5\n",
        "shop/production.py": "from .settings import *\nCELERY_TASK_TIME_LIMIT = 30\n",
    }
    assert facts_of(tmp_path, files).value("pay", "time_limit") == 5
    assert facts_of(tmp_path, files, settings="shop.production").value("pay", "time_limit") == 30


def test_a_settings_module_that_is_not_there_is_replaced_by_its_sample_with_a_note(tmp_path: Path) -> None:
    files = {**DJANGO, "shop/settings_example.py": "CELERY_TASK_TIME_LIMIT = 30\n"}
    assert facts_of(tmp_path, files).value("pay", "time_limit") == Default(30, "DJANGO_SETTINGS_MODULE")
    notes = lint_of(tmp_path, files).notes
    assert notes == ("shop.settings is not in the tree; shop.settings_example was read in its place",)


def test_without_any_settings_module_nothing_is_claimed_of_settings(tmp_path: Path) -> None:
    found = facts_of(tmp_path, DJANGO).value("pay", "time_limit")
    assert found == Unread("the Django settings module")


def test_a_star_import_from_outside_leaves_what_it_may_bring_open(tmp_path: Path) -> None:
    reading = django(tmp_path, "from company_settings import *\nCELERY_TASK_TIME_LIMIT = 30\n")
    assert reading.value("pay", "time_limit") == 30
    assert reading.value("pay", "acks_late") == Unread("from company_settings import *")


def test_names_that_celery_does_not_read_set_nothing(tmp_path: Path) -> None:
    reading = django(tmp_path, "TASK_TIME_LIMIT = 30\nCELERY_TIME_LIMIT = 30\ncelery_task_time_limit = 30\n")
    assert reading.value("pay", "time_limit") is None


# --- what cannot be seen ----------------------------------------------------------------------------------------------

OPEN = {
    "unknown module": ("app.config_from_object('company.settings')", "config_from_object('company.settings')"),
    "unknown update": ("import lost\napp.conf.update(lost.settings())", "lost.settings"),
    "unknown key": ("import lost\napp.conf[lost.name] = 3", "lost.name"),
    "yaml": ("import yaml\napp.conf.update(yaml.safe_load(open('x.yml')))", "yaml.safe_load"),
    "envvar nobody sets": ("app.config_from_envvar('CONF')", "environment variable CONF"),
    "command line": ("import sys\napp.config_from_cmdline(sys.argv)", "app.config_from_cmdline"),
}


def test_an_update_that_cannot_be_seen_may_change_what_was_set_before(tmp_path: Path) -> None:
    reading = configured(tmp_path, "import lost\napp.conf.task_time_limit = 30\napp.conf.update(lost.settings())")
    assert isinstance(reading.value("pay", "time_limit"), Unread)


@pytest.mark.parametrize(("lines", "blocker"), OPEN.values(), ids=OPEN.keys())
def test_a_part_that_cannot_be_seen_leaves_unstated_settings_unknown(tmp_path: Path, lines: str, blocker: str) -> None:
    reading = configured(tmp_path, f"{lines}\napp.conf.task_acks_late = True")
    assert reading.value("pay", "acks_late") is True  # stated afterwards on app.conf, which wins over any object
    found = reading.value("pay", "time_limit")
    assert isinstance(found, Unread)
    assert blocker in found.blocker


# --- signals of the app -----------------------------------------------------------------------------------------------

PADDING = "    print('configured')\n" * 10
RECEIVERS = {
    "on_configure": "@app.on_configure.connect\ndef configure(sender, **kwargs):\n",
    "on_after_configure": "@app.on_after_configure.connect\ndef configure(sender, **kwargs):\n",
    "with options": "@app.on_after_configure.connect(weak=False)\ndef configure(sender, **kwargs):\n",
    "on_after_finalize, and long": f"@app.on_after_finalize.connect\ndef configure(sender, **kwargs):\n{PADDING}",
}


@pytest.mark.parametrize("receiver", RECEIVERS.values(), ids=RECEIVERS.keys())
def test_a_receiver_of_the_apps_signals_configures_it(tmp_path: Path, receiver: str) -> None:
    reading = configured(tmp_path, f"{receiver}    sender.conf.task_time_limit = 30\n")
    assert reading.value("pay", "time_limit") == 30


def test_a_receiver_of_a_workers_signals_does_not(tmp_path: Path) -> None:
    lines = (
        "from celery.signals import celeryd_init\n@celeryd_init.connect\n"
        "def configure(sender, conf, **kwargs):\n    conf.task_time_limit = 30\n"
    )
    assert configured(tmp_path, lines).value("pay", "time_limit") is None
