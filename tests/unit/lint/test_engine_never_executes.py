"""Linted code is never imported and never run, whatever it is: a project full of traps is read, and none goes off."""

# ruff: noqa: E501  # source texts stay on one line

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.unit.lint.project.readings import facts_of, lint_of

TRAP = """
import os, pathlib
def spring(*args, **kwargs):
    pathlib.Path(MARKER).write_text("sprung")
    os._exit(97)
"""


def trapped(marker: Path, code: str) -> str:
    return f"MARKER = {str(marker)!r}\n{TRAP}\n{code}\n"


PLACES = {
    "at import": "spring()",
    "decorator": "from celery import Celery\napp = Celery('x')\n@spring\n@app.task\ndef pay(): ...",
    "option": "from celery import Celery\napp = Celery('x')\n@app.task(time_limit=spring())\ndef pay(): ...",
    "wrapper": "from celery import shared_task\ndef job(f):\n    spring()\n    return shared_task(f)\n@job\ndef pay(): ...",
    "class body": "from celery import Task\nclass Pay(Task):\n    time_limit = spring()\n    def run(self): ...",
    "metaclass": "class Meta(type):\n    def __new__(m, *a):\n        spring()\nclass A(metaclass=Meta): ...\nfrom celery import Celery",
    "dunder methods": (
        "from celery import Celery\nclass A:\n    def __eq__(self, o):\n        spring()\n    __hash__ = __bool__ = __add__ = "
        "__getattr__ = __iter__ = __str__ = __eq__\na = A()\napp = Celery(str(a))\n@app.task(time_limit=a + a, max_retries=a or 3)\n"
        "def pay(): ..."
    ),
    "default argument": "from celery import Celery\ndef f(x=spring()):\n    return x\napp = Celery(f())",
    "eval and exec": "from celery import Celery\nexec('spring()')\nx = eval('spring()')\n__import__('trap2')\napp = Celery('x')",
    "format": "from celery import Celery\napp = Celery('{0.__class__}'.format(spring()))\nx = f'{spring()}'",
    "pickle": "import pickle\nfrom celery import Celery\nx = pickle.loads(b\"cos\\n_exit\\n(I97\\ntR.\")\napp = Celery(x)",
    "subprocess": "import subprocess\nfrom celery import Celery\nsubprocess.run(['touch', MARKER])\napp = Celery('x')",
    "open": "from celery import Celery\nopen(MARKER, 'w').write('sprung')\napp = Celery('x')",
    "path": "from celery import Celery\npathlib.Path(MARKER).touch()\napp = Celery('x')",
    "settings class": "class C:\n    @property\n    def task_time_limit(self):\n        spring()\nfrom celery import Celery\n"
    "app = Celery('x')\napp.config_from_object(C())",
    "lambda": "from celery import Celery\nf = lambda: spring()\napp = Celery(f())",
    "comprehension": "from celery import Celery\napp = Celery([spring() for x in range(3)][0])",
    "literal_eval": "import ast\nfrom celery import Celery\napp = Celery(ast.literal_eval('__import__(\"os\")._exit(97)'))",
    "json": "import json\nfrom celery import Celery\napp = Celery(json.loads('[1]', object_hook=spring))",
    "sort key": "from celery import Celery\nx = sorted([3, 1], key=spring)\ny = max([1, 2], key=spring)\napp = Celery('x')",
}  # fmt: skip


@pytest.mark.parametrize("code", PLACES.values(), ids=PLACES.keys())
def test_no_trap_goes_off(tmp_path: Path, code: str) -> None:
    marker = tmp_path / "marker"
    project = {
        "trap/__init__.py": "",
        "trap/tasks.py": trapped(marker, code),
        "trap2.py": trapped(marker, "spring()"),
        "sitecustomize.py": trapped(marker, "spring()"),
        "conftest.py": trapped(marker, "spring()"),
        "setup.py": trapped(marker, "spring()"),
        "celeryconfig.py": trapped(marker, "spring()"),
        "json.py": trapped(marker, "spring()"),
        "celery.py": trapped(marker, "spring()"),
    }
    before = set(sys.modules)
    lint_of(tmp_path, project)
    facts_of(tmp_path, project)
    assert not marker.exists()
    new = {name for name in set(sys.modules) - before if not name.startswith(("safecelery", "encodings", "_"))}
    assert not {"trap", "trap.tasks", "trap2", "celeryconfig"} & new
    assert not any(str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")) for name in new)


def test_the_trap_would_go_off_if_the_module_were_imported(tmp_path: Path) -> None:
    """Guards the test above: what stands in the files is live."""
    import subprocess

    marker = tmp_path / "marker"
    (tmp_path / "trap.py").write_text(trapped(marker, PLACES["at import"]))
    done = subprocess.run([sys.executable, "trap.py"], cwd=tmp_path, check=False)
    assert (done.returncode, marker.exists()) == (97, True)


def test_symbolic_links_and_odd_names_do_not_lead_out_of_the_tree(tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text("from celery import shared_task\n@shared_task\ndef stolen(): ...\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "link.py").symlink_to(outside)
    (project / "loop").symlink_to(project)
    (project / "none.py").symlink_to(tmp_path / "nothing.py")
    (project / "folder.py").mkdir()
    (project / "new\nline.py").write_text("from celery import shared_task\n@shared_task\ndef pay(): ...\n")
    assert [name.rpartition(".")[2] for name in facts_of(tmp_path, {}).names] == ["pay"]
