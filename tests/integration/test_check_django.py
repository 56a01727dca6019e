"""``manage.py check`` with ``safecelery.contrib.django`` among the installed apps."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

pytest.importorskip("django")

FILES = {
    "manage.py": """
        import os, sys
        from django.core.management import execute_from_command_line

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
        execute_from_command_line(sys.argv)
        """,
    "shop/__init__.py": "from shop.celery import app\n",
    "shop/celery.py": """
        import os
        from celery import Celery

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
        app = Celery("shop")
        app.config_from_object("django.conf:settings", namespace="CELERY")
        app.autodiscover_tasks()
        """,
    "orders/__init__.py": "",
    "orders/tasks.py": """
        from celery import shared_task

        @shared_task(time_limit=30, acks_late=True, reject_on_worker_lost=True, retry_on_worker_lost=True)
        def ship(count): ...
        """,
}
SETTINGS = """
    from pathlib import Path

    BASE_DIR = Path(__file__).parent.parent
    SECRET_KEY = "for a test"
    INSTALLED_APPS = ["orders", "safecelery.contrib.django"]
    USE_TZ = True
    CELERY_BROKER_URL = "redis://broker.example/0"
    """

Check = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """``check("--deploy", settings="CELERY_X = 1")``: what ``manage.py check --deploy`` said."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(dedent(text))

    def run(*words: str, settings: str = "", more: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        (tmp_path / "shop" / "settings.py").write_text(dedent(SETTINGS) + settings + "\n")
        for name, text in (more or {}).items():
            (tmp_path / name).write_text(text)
        path = os.pathsep.join([str(tmp_path), *sys.path])
        return subprocess.run(
            [sys.executable, "manage.py", "check", *words], cwd=tmp_path, capture_output=True, text=True, timeout=60,
            check=False, env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": path},
        )  # fmt: skip

    return run


def test_findings_are_messages_with_id_place_and_hint(check: Check) -> None:
    done = check()
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "orders/tasks.py:4: (safecelery.SFC402) orders.tasks.ship has no soft time limit" in done.stderr
    assert "HINT: " in done.stderr
    errors = done.stderr.partition("ERRORS:")[2]
    assert "safecelery.SFC402" in errors


def test_connections_and_signing_are_for_deployment_only(check: Check) -> None:
    here, deployed = check(), check("--deploy")
    for code in ("SFC201", "SFC301"):
        assert f"safecelery.{code}" not in here.stderr
        assert f"safecelery.{code}" in deployed.stderr
    assert "safecelery.SFC402" in deployed.stderr


def test_a_level_of_the_policy_becomes_a_level_of_django(check: Check) -> None:
    done = check(settings="SAFECELERY_CHECK_POLICY = 'migration'")
    assert done.returncode == 0, done.stderr
    assert "safecelery.SFC402" in done.stderr.partition("WARNINGS:")[2]


def test_a_message_can_be_silenced_by_its_id(check: Check) -> None:
    done = check(settings="SILENCED_SYSTEM_CHECKS = ['safecelery.SFC402']")
    assert "SFC402" not in done.stderr
    assert "(1 silenced)" in done.stdout + done.stderr


def test_the_configuration_of_the_project_counts(check: Check) -> None:
    done = check(more={"pyproject.toml": '[tool.safecelery]\nignore = ["soft-time-limit-missing"]\n'})
    assert "SFC402" not in done.stderr


def test_only_the_checks_of_the_tag_run_when_it_is_asked_for(check: Check) -> None:
    assert "safecelery.SFC402" in check("--tag", "safecelery").stderr
    assert "safecelery.SFC402" not in check("--tag", "models").stderr
    assert "safecelery.SFC402" not in check("orders").stderr


def test_an_app_named_in_the_settings_is_the_one_that_is_checked(check: Check) -> None:
    other = "from celery import Celery\napp = Celery('other')\n@app.task\ndef idle(): ...\n"
    done = check(settings="SAFECELERY_CHECK_APP = 'other'", more={"other.py": other})
    assert "other.py:3: (safecelery.SFC401) other.idle has no hard time limit" in done.stderr


@pytest.mark.parametrize(
    ("settings", "more", "said"),
    [
        ("SAFECELERY_CHECK_APP = 'nowhere'", {}, "(safecelery.E001) -A nowhere: cannot be imported"),
        ("SAFECELERY_CHECK_POLICY = 'stricct'", {}, "(safecelery.E001)"),
        ("", {"shop/__init__.py": "", "shop/celery.py": ""}, "(safecelery.E001) no Celery app was found"),
        ("", {"orders/tasks.py": "import nothing_here\n"}, "(safecelery.E001) -A shop: its tasks cannot be imported"),
    ],
)
def test_what_cannot_be_checked_is_an_error_not_a_traceback(
    check: Check, settings: str, more: dict[str, str], said: str
) -> None:
    done = check(settings=settings, more=more)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_app_that_no_package_imports_is_found_beside_the_settings(check: Check) -> None:
    done = check(more={"shop/__init__.py": ""})
    assert "safecelery.SFC402" in done.stderr
