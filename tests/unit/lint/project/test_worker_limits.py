"""What worker command lines do to the limits of tasks, and whether a worker imports them at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from safecelery.lint.config import LintConfig
from safecelery.lint.engine import lint
from safecelery.lint.finding import Finding

APP = "from celery import Celery\n\napp = Celery('shop'{more})\n{conf}\n"
TASK = "from shop.celery import app\n\n\n@app.task{options}\ndef charge(order_id: int) -> None: ...\n"


def findings(root: Path, files: dict[str, str], *codes: str) -> list[Finding]:
    for name, text in files.items():
        path = root / "shop_project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    project = root / "shop_project"
    config = LintConfig(select=codes, cache=False, jobs=1, include_tests=True, root=project)
    result = lint([str(project)], config)
    return [*result.findings, *result.undecided]


def shop(*, more: str = ", include=['shop.tasks']", conf: str = "", options: str = "", **files: str) -> dict[str, str]:
    named = {name.replace("__", "."): text for name, text in files.items()}
    named.setdefault("Procfile", "worker: celery -A shop worker\n")
    return {
        "shop/__init__.py": "",
        "shop/celery.py": APP.format(more=more, conf=conf),
        "shop/tasks.py": TASK.format(options=options),
        **named,
    }


def test_a_task_without_limits_is_bounded_by_its_only_worker(tmp_path: Path) -> None:
    line = "worker: celery -A shop worker --time-limit=300 --soft-time-limit=270\n"
    assert findings(tmp_path, shop(Procfile=line), "SFC401", "SFC402", "SFC412") == []


def test_a_limit_of_the_command_line_is_held_against_the_policy_and_says_where_it_stands(tmp_path: Path) -> None:
    line = "worker: celery -A shop worker --time-limit=40000\n"
    (found,) = findings(tmp_path, shop(Procfile=line), "SFC405")
    assert "40000" in found.message
    assert found.because[0].what == "--time-limit=40000"
    assert found.because[0].file.endswith("Procfile")


def test_where_workers_differ_the_finding_names_the_one_without(tmp_path: Path) -> None:
    lines = "fast: celery -A shop worker --time-limit=300\nslow: celery -A shop worker\n"
    (found,) = findings(tmp_path, shop(Procfile=lines), "SFC401")
    assert "Procfile:2 sets none" in found.message


def test_a_worker_of_other_queues_says_nothing_of_the_task(tmp_path: Path) -> None:
    lines = "fast: celery -A shop worker -Q celery --time-limit=300\nslow: celery -A shop worker -Q slow\n"
    assert findings(tmp_path, shop(Procfile=lines), "SFC401") == []


def test_a_command_line_that_cannot_be_read_leaves_it_open(tmp_path: Path) -> None:
    line = "worker: celery -A shop worker --time-limit=$LIMIT\n"
    found = findings(tmp_path, shop(Procfile=line), "SFC401", "SFC002")
    assert [item.code for item in found] == ["SFC002"]


def test_the_tasks_own_limit_wins(tmp_path: Path) -> None:
    line = "worker: celery -A shop worker --time-limit=40000\n"
    assert findings(tmp_path, shop(options="(time_limit=60)", Procfile=line), "SFC401", "SFC405") == []


@pytest.mark.parametrize(("version", "breaks"), [("5.4.0", True), ("5.7.0", False)])
def test_before_5_7_the_command_line_wins_over_the_setting(tmp_path: Path, version: str, breaks: bool) -> None:
    files = shop(conf="app.conf.task_time_limit = 60", Procfile="worker: celery -A shop worker --time-limit=40000\n")
    files["requirements.txt"] = f"celery=={version}\n"
    assert bool(findings(tmp_path, files, "SFC405")) is breaks


@pytest.mark.parametrize(
    ("more", "other", "missing"),
    [
        (", include=['shop.celery']", "", True),
        (", include=['shop.tasks']", "", False),
        ("", "app.autodiscover_tasks(['shop'])", False),
        ("", "app.autodiscover_tasks(['other'])", True),
        ("", "app.autodiscover_tasks()", False),
        ("", "app.autodiscover_tasks(lambda: ['shop'])", False),
        ("", "app.conf.imports = ('shop.tasks',)", False),
    ],
)
def test_a_task_module_needs_a_way_into_a_worker(tmp_path: Path, more: str, other: str, missing: bool) -> None:
    assert bool(findings(tmp_path, shop(more=more, conf=other), "SFC929")) is missing


@pytest.mark.parametrize(
    "text",
    ["from shop.tasks import charge\n", "from shop import tasks\n", "from . import tasks\n", "from .tasks import *\n",
     "import importlib\n\nimportlib.import_module('shop.tasks')\n", "from shop import (\n    views,\n    tasks,\n)\n"],
)  # fmt: skip
def test_any_file_that_imports_it_is_a_way(tmp_path: Path, text: str) -> None:
    files = shop(more="") | {"shop/apps.py": text}
    assert findings(tmp_path, files, "SFC929") == []


def test_a_list_of_modules_that_cannot_be_read_leaves_it_open(tmp_path: Path) -> None:
    files = shop(more=", include=modules()", conf="").copy()
    assert [item.code for item in findings(tmp_path, files, "SFC929", "SFC002")] == ["SFC002"]


def test_schedules_that_code_adds_are_judged(tmp_path: Path) -> None:
    conf = (
        "from celery.schedules import crontab\n\n\n@app.on_after_configure.connect\ndef add(sender, **kwargs):\n"
        "    from shop.tasks import charge\n\n"
        "    sender.add_periodic_task(crontab(hour=3), charge.s(), name='nightly')\n"
    )
    found = findings(tmp_path, shop(conf=conf), "SFC419", "SFC923", "SFC930")
    assert sorted(item.code for item in found) == ["SFC419", "SFC923", "SFC930"]


@pytest.mark.parametrize(
    "call", ["app.worker_main(['worker', '--pool=threads'])", "app.start(argv=['worker', '-P', 'threads'])"]
)
def test_a_worker_that_code_starts_is_a_process(tmp_path: Path, call: str) -> None:
    code = f"from shop.celery import app\n\nif __name__ == '__main__':\n    {call}\n"
    (found,) = findings(tmp_path, shop() | {"shop/run.py": code}, "SFC430")
    assert found.path.endswith("shop/run.py")
    assert found.line == 4


def test_arguments_worked_out_at_run_time_start_nothing_that_could_be_judged(tmp_path: Path) -> None:
    code = "import sys\n\nfrom shop.celery import app\n\napp.worker_main(sys.argv[1:])\n"
    assert findings(tmp_path, shop() | {"shop/run.py": code}, "SFC430", "SFC002") == []


def test_an_app_that_names_tasks_its_own_way_is_followed(tmp_path: Path) -> None:
    code = (
        "from celery import Celery\n\n\nclass Named(Celery):\n"
        "    def gen_task_name(self, name, module):\n        return name\n\n\n"
        "app = Named('shop', include=['shop.tasks'])\n"
        "app.conf.beat_schedule = {\n"
        "    'a': {'task': 'charge', 'schedule': 900.0, 'args': (1,)},\n"
        "    'b': {'task': 'shop.tasks.charge', 'schedule': 900.0, 'args': (1,)},\n}\n"
    )
    found = findings(tmp_path, shop() | {"shop/celery.py": code}, "SFC922", "SFC923")
    assert [item.message.partition(" sends")[0] for item in found] == ["beat entry b"]


def test_a_pool_that_ignores_limits_says_how_many_tasks_state_one(tmp_path: Path) -> None:
    files = shop(options="(soft_time_limit=60)", Procfile="worker: celery -A shop worker --pool=threads\n")
    (found,) = findings(tmp_path, files, "SFC430")
    assert "the time limits of 1 task without effect" in found.message
