"""A Django project: Celery's settings stay in Django's, in the namespace CELERY, and face the policy there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from safecelery import SafeCelerySettings, create_app
from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RedisServer
from tests.integration.stage import TIMEOUT, Identities, let_go

pytest.importorskip("django")
pytestmark = pytest.mark.redis

FILES = {
    "shop/__init__.py": "from shop.celery import app\n__all__ = ['app']\n",
    "shop/celery.py": """
        import os
        from safecelery import create_app

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
        app = create_app("shop")
        app.config_from_object("django.conf:settings", namespace="CELERY")
        app.autodiscover_tasks()
        """,
    "orders/__init__.py": "",
    "orders/tasks.py": """
        from celery import shared_task
        from django.conf import settings

        @shared_task(time_limit=20, soft_time_limit=15)
        def ship(count: int) -> str:
            return f"{count} from {settings.WAREHOUSE}"
        """,
}
SETTINGS = """
    SECRET_KEY = "for a test"
    INSTALLED_APPS = ["orders"]
    USE_TZ = True
    WAREHOUSE = "Ghent"
    CELERY_BROKER_URL = "{url}"
    CELERY_RESULT_BACKEND = "{url}"
    CELERY_TASK_DEFAULT_QUEUE = "shop"
    CELERY_TIMEZONE = "Europe/Brussels"
    CELERY_BEAT_SCHEDULE = {{}}
    {more}
"""


class Project:
    """A Django project on disk."""

    def __init__(self, directory: Path, server: RedisServer) -> None:
        self.directory, self.server = directory, server
        self.url = server.url_for(5)
        self.keys = Identities(directory)
        self.keys.add("shop", send=["orders.*"], queues=["shop"])
        for name, text in FILES.items():
            (directory / name).parent.mkdir(exist_ok=True)
            (directory / name).write_text(dedent(text))
        self.configure("")

    def configure(self, more: str) -> None:
        """Write Django's settings, with more lines."""
        (self.directory / "shop" / "settings.py").write_text(dedent(SETTINGS).format(url=self.url, more=more))

    @property
    def environment(self) -> dict[str, str]:
        return {
            "SAFECELERY_BROKER__CA_FILE": str(self.server.ca_file),
            "SAFECELERY_SIGNING__KEY": self.keys.reference("shop"),
            "SAFECELERY_SIGNING__TRUST_FILE": str(self.keys.trust_file),
            "PYTHONPATH": os.pathsep.join([str(self.directory), *sys.path]),
        }

    def start_worker(self) -> subprocess.CompletedProcess[str]:
        """A worker that is expected to refuse."""
        return subprocess.run(
            [sys.executable, "-m", "celery", "-A", "shop", "worker", "-c", "1"],
            env={"PATH": os.environ.get("PATH", os.defpath), **self.environment},
            cwd=self.directory, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture
def project(tmp_path: Path, redis_server: RedisServer) -> Project:
    return Project(tmp_path, redis_server)


def test_a_django_projects_worker_runs_discovered_tasks(project: Project) -> None:
    worker = CeleryProcess(
        "shop", "worker", ["-c", "1"], directory=project.directory, env=project.environment, name="django"
    )
    settings = SafeCelerySettings(
        broker={"url": project.url, "ca_file": project.server.ca_file},
        results={"url": project.url},
        signing={"key": project.keys.reference("shop"), "trust_file": project.keys.trust_file},
        default_queue="shop",
    )
    producer = create_app("producer", settings, set_as_current=False)
    with worker:
        assert "orders.tasks.ship" in worker.log
        assert producer.send_task("orders.tasks.ship", (3,)).get(timeout=TIMEOUT) == "3 from Ghent"
        let_go(producer)
    assert project.server.password not in worker.log


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("CELERY_TASK_SERIALIZER = 'pickle'", "SFC101"),
        ("CELERY_ACCEPT_CONTENT = ['json', 'yaml']", "SFC104"),
        ("CELERY_TSK_TIME_LIMIT = 30", r"CELERY_TSK_TIME_LIMIT"),
        ("CELERY_BROKER_URL = 'redis://plain.example/0'", "SFC201"),
        ("CELERY_WORKER_POOL = 'threads'", "SFC410"),
        ("CELERY_BROKER_USE_SSL = {'ssl_cert_reqs': None}", "SFC202"),
    ],
)
def test_an_unsafe_or_unknown_django_setting_is_refused(project: Project, more: str, said: str) -> None:
    project.configure(more)
    done = project.start_worker()
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert said in output
    assert "fix: " in output
    assert "Traceback" not in output
    assert project.server.password not in output


def test_a_misspelt_setting_is_told_its_right_name(project: Project) -> None:
    project.configure("CELERY_TASK_TIME_LIMT = 30")
    done = project.start_worker()
    assert "did you mean CELERY_TASK_TIME_LIMIT?" in (done.stdout + done.stderr)


def test_settings_outside_the_namespace_are_djangos_business(project: Project) -> None:
    project.configure("TASK_SERIALIZER = 'pickle'\nCELERYD = 1\n")
    worker = CeleryProcess(
        "shop", "worker", ["-c", "1"], directory=project.directory, env=project.environment, name="other"
    )
    with worker:
        assert worker.running
