"""Files that never mention Celery, but reach it through other modules of the tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from safecelery.lint.source import collect
from tests.unit.lint.source.source_trees import plain_stages, write

USES = "@job(queue='q')\ndef send():\n    pass\n"


def matched(root: Path) -> set[str]:
    tree = collect([str(root)], cache_dir=None, stages=plain_stages(), second=False)
    return {record.path for record in tree.records}


WRAPPERS = {
    "function": "from celery import shared_task\ndef job(**o):\n    return shared_task(**o)\n",
    "nested function": "import celery\ndef job(f):\n    def late():\n        celery.shared_task(f)\n    return late\n",
    "bound": "from celery import shared_task as st\njob = st(autoretry_for=(OSError,))\n",
    "partial": "from functools import partial\nfrom .app import app\njob = partial(app.task, bind=True)\n",
    "class": "from celery import shared_task\nclass job:\n    def __call__(self, f):\n        return shared_task(f)\n",
    "method": "from celery import Celery\nclass Registry(Celery):\n    pass\njob = Registry().task\n",
    "conditional": "try:\n    from celery import shared_task\nexcept OSError:\n    0\nelse:\n    job = shared_task\n",
}
IMPORTS = {
    "from": "from core.jobs import job\n",
    "relative": "from .jobs import (\n    other,\n    job,\n)\n",
    "module": "from core import jobs\njob = jobs.job\n",
    "whole module": "import core.jobs\njob = core.jobs.job\n",
    "renamed": "from core.jobs import job as work\njob = work\n",
    "star": "from core.jobs import *\n",
    "inside a function": "def late():\n    from core.jobs import job\n",
    "over lines": "from core.jobs \\\n    import job\n",
}


@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS.keys())
def test_a_wrapper_of_any_form_is_followed(tmp_path: Path, wrapper: str) -> None:
    write(tmp_path, {"core/app.py": "from celery import Celery\napp = Celery()\n", "core/jobs.py": wrapper})
    write(tmp_path, {"shop/mail.py": "from core.jobs import job\n" + USES, "shop/none.py": "from core.jobs import x\n"})
    assert matched(tmp_path) == {"core/app.py", "core/jobs.py", "shop/mail.py"}


@pytest.mark.parametrize("line", IMPORTS.values(), ids=IMPORTS.keys())
def test_an_import_of_any_form_is_seen(tmp_path: Path, line: str) -> None:
    write(tmp_path, {"core/jobs.py": WRAPPERS["function"], "core/mail.py": line + USES})
    assert "core/mail.py" in matched(tmp_path)


def test_wrappers_of_wrappers_re_exports_apps_and_bases_are_followed(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "core/__init__.py": "from .jobs import job\n",
            "core/jobs.py": WRAPPERS["function"],
            "lib/quick.py": "from core import job\ndef quick(**o):\n    return job(queue='quick', **o)\n",
            "lib/main.py": "from celery import Celery\ndef make():\n    return Celery()\nrunner = make()\n",
            "lib/base.py": "from celery import Task\nclass Base(Task):\n    pass\n",
            "a/uses_quick.py": "from lib.quick import quick\n@quick()\ndef f(): ...\n",
            "a/uses_app.py": "from lib.main import runner\n@runner.task\ndef f(): ...\n",
            "a/uses_base.py": "from lib.base import Base\nclass Mail(Base):\n    pass\n",
            "a/uses_own.py": "from a.uses_base import Mail\nclass Special(Mail):\n    pass\n",
            "a/other.py": "from lib.main import other\nimport lib.base\nfrom lib import base\n",
        },
    )
    assert {path for path in matched(tmp_path) if path.startswith("a/")} == {
        "a/uses_quick.py",
        "a/uses_app.py",
        "a/uses_base.py",
        "a/uses_own.py",
    }


def test_tasks_and_what_merely_uses_an_app_are_not_followed(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "core/app.py": "from celery import Celery\napp = Celery()\ndef length():\n    return app.control()\n",
            "core/tasks.py": "from .app import app\nclass Order:\n    app = 1\n@app.task\ndef charge(): ...\n",
            "shop/a.py": "from core.tasks import charge, Order\nfrom core.app import length\ncharge()\n",
        },
    )
    assert matched(tmp_path) == {"core/app.py", "core/tasks.py"}
