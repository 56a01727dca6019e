"""The linter reads code and never runs it: a project whose every file would leave a mark, or kill, if it were run."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.integration.lint_process import SHOP, LintedProject

#: Leaves a mark beside the project, then ends whatever process it is in: no report comes out of one that ran this.
TRAP = (
    "import os as _os\n"
    "open(_os.environ['MARKS'] + '/' + __name__ + '.' + _os.urandom(4).hex(), 'w').close()\n"
    "_os._exit(66)\n"
)  # fmt: skip

DJANGO = """
SECRET_KEY = "x"
INSTALLED_APPS = ["shop"]
CELERY_BROKER_URL = __import__("os").environ.get("BROKER", "redis://localhost/0")
CELERY_TASK_TIME_LIMIT = 30
"""
CELERY = """
import os
from celery import Celery
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")
app = Celery("site_")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.config_from_object("celeryconfig")
app.autodiscover_tasks()
"""
#: What Python, its tools and frameworks import or run on their own when they meet it.
TRAPPED: dict[str, str] = {
    "__init__.py": "",
    "__main__.py": "",
    "sitecustomize.py": "",
    "usercustomize.py": "",
    "setup.py": "from setuptools import setup\nsetup(name='shop', install_requires=['celery==4.0'])\n",
    "conftest.py": "",
    "noxfile.py": "",
    "manage.py": "",
    "tasks.py": SHOP,
    "celeryconfig.py": "task_time_limit = 30\nbroker_url = 'redis://localhost/0'\n",
    "site_/__init__.py": "from .celery import app\n",
    "site_/celery.py": CELERY,
    "site_/settings.py": DJANGO,
    "shop/__init__.py": "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n",
    "shop/tasks.py": SHOP,
    "shop/apps.py": "from django.apps import AppConfig\nclass Shop(AppConfig):\n    name = 'shop'\n",
    # Names of modules that the linter itself imports: the current directory is first on nobody's path.
    "click.py": "",
    "tomllib.py": "",
    "json.py": "",
    "ast.py": "",
    "celery.py": "",
    "kombu.py": "",
    "safecelery.py": "",
    "safecelery/__init__.py": "",
    "build_backend/hooks.py": "",
    "tests/test_shop.py": "from shop.tasks import charge\ndef test_it():\n    charge.delay(1)\n",
}
#: Values that a reader with eval, a template engine, YAML tags or a shell would run.
POISON: dict[str, str] = {
    "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "hooks"\nbackend-path = ["build_backend"]\n'
    '[tool.safecelery]\ninclude-tests = true\n[project]\nname = "shop"\ndependencies = ["celery==4.0"]\n',
    "setup.cfg": "[options]\ninstall_requires = attr: shop.requires\n",
    "requirements.txt": "celery==5.0\n-e .\n$(touch $MARKS/requirements)\n`touch $MARKS/backtick`\n",
    "Dockerfile": "FROM python\nRUN touch $MARKS/docker\nCMD celery -A shop worker $(touch $MARKS/cmd)\n",
    "docker-compose.yml": "services:\n  worker:\n    command: celery -A shop worker -n `touch $MARKS/compose`\n"
    "    x: !!python/object/apply:os.system ['touch $MARKS/yaml']\n",
    "entrypoint.sh": "#!/bin/sh\ntouch $MARKS/shell\nexec celery -A shop worker ${X:-$(touch $MARKS/default)}\n",
    "Procfile": "worker: touch $MARKS/procfile; celery -A shop worker\n",
    "evil.pth": "import os; os._exit(66)\n",
}
EVALUATED = """
@app.task(time_limit=eval("__import__('os')._exit(66)"), name=f"{__import__('os')._exit(66)}")
def evaluated(x=exec("import os; os._exit(66)")): ...

class Meta(type):
    def __new__(*_):
        import os
        os._exit(66)

class Trap(metaclass=Meta):
    __mro_entries__ = property(lambda self: __import__("os")._exit(66))

LIMITS = {**{"time_limit": 10 ** 10 ** 10}, "soft_time_limit": "x" * 10 ** 12, "rate_limit": [0] * 10 ** 12}
SHIFTED = 1 << 10 ** 9
REPEATED = ("a" * 10 ** 6) % tuple(range(10 ** 6)) if False else "%999999999d" % 1

@app.task(**LIMITS, expires=SHIFTED, name=REPEATED)
def heavy(): ...
"""


@pytest.fixture
def trapped(linted: LintedProject) -> LintedProject:
    """Every module is trapped, before and after what it has to say."""
    (linted.room / "marks").mkdir()
    linted.env["MARKS"] = str(linted.room / "marks")
    linted.write({name: f"{TRAP if name != 'tasks.py' else ''}{text}" for name, text in TRAPPED.items()})
    linted.write({"tasks.py": f"{SHOP}{EVALUATED}\n{TRAP}", **POISON})
    (linted.directory / "entrypoint.sh").chmod(0o755)
    return linted


def marks(project: LintedProject) -> list[str]:
    return sorted(path.name for path in (project.room / "marks").iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ("lint",),
        ("lint", "--no-cache", "--include-tests", "--policy", "strict"),
        ("lint", "--settings", "site_.settings"),
        ("lint", "tasks.py", "shop", "setup.py", "conftest.py"),
        ("lint", "--format", "html"),
        ("lint", "--diff", "--unsafe-fixes"),
        ("lint", "--fix"),
        ("lint", "--unsafe-fixes"),
        ("lint", "--baseline", "known.json", "--update-baseline"),
        ("lint", "--show-config"),
        ("facts",),
        ("facts", "--format", "json", "--include-tests", "--settings", "site_.settings"),
        ("rules",),
    ],
    ids=" ".join,
)
def test_nothing_of_the_project_runs(trapped: LintedProject, words: tuple[str, ...]) -> None:
    script = [sys.executable, "-c", "import sys; sys.path.pop(0); from safecelery.cli.main import main; main()"]
    done = subprocess.run(
        [*script, *words], cwd=trapped.directory, env=trapped.env, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1, 2), (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stdout or words[-1] == "--update-baseline"
    assert marks(trapped) == []


def test_the_findings_are_there_all_the_same(trapped: LintedProject) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.path.pop(0); from safecelery.cli.main import main; main()",
         "lint", "--format", "concise"],
        cwd=trapped.directory, env=trapped.env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "tasks.py:7:1: SFC401 " in done.stdout.replace("tasks.py:6:1", "tasks.py:7:1")
    assert "shop/tasks.py:" in done.stdout


def test_the_trap_works(trapped: LintedProject) -> None:
    """Else the tests above could not fail."""
    done = subprocess.run(
        [sys.executable, "-c", "import shop.tasks"], cwd=trapped.directory, check=False,
        env={**trapped.env, "PYTHONPATH": str(trapped.directory)},
    )  # fmt: skip
    assert done.returncode == 66
    assert len(marks(trapped)) == 1


def test_audit_is_the_one_command_that_imports_and_its_help_says_so(linted: LintedProject) -> None:
    (linted.room / "marks").mkdir()
    linted.write({"shop.py": TRAP + SHOP})
    done = linted.run("audit", "-A", "shop", MARKS=str(linted.room / "marks"))
    assert done.returncode == 66
    assert len(marks(linted)) == 1
    shown = " ".join(linted.run("audit", "--help").stdout.split())
    assert "Imports the project" in shown
    assert "'safecelery lint' imports nothing" in shown
    assert "never imported or run" in " ".join(linted.run("lint", "--help").stdout.split())


def test_no_other_process_is_started_than_the_linters_own_reader(linted: LintedProject) -> None:
    """Every program that is executed, as the system saw it."""
    import shutil

    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    linted.write({f"tasks{number}.py": SHOP for number in range(30)})
    linted.write(POISON)
    log = linted.room / "trace"
    done = subprocess.run(
        ["strace", "-f", "-qq", "-e", "trace=execve,connect", "-o", str(log), *linted.command("lint", "--isolated")],
        cwd=linted.directory, env={**linted.env, "MARKS": "/nonexistent"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "ptrace" in done.stderr or not log.exists():
        pytest.skip("strace may not be used here")
    calls = [line for line in log.read_text().splitlines() if "execve(" in line or "connect(" in line]
    assert len(calls) >= 1
    assert [line for line in calls if os.path.basename(sys.executable) not in line] == []  # noqa: PTH119
