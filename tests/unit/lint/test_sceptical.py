"""Small copies of code in real projects that a finding was wrong about."""

from __future__ import annotations

from pathlib import Path

import pytest

from safecelery.lint.config import LintConfig
from safecelery.lint.engine import lint

APP = 'from celery import Celery\n\napp = Celery("shop", broker="amqps://shop@mq.internal/")\n'
COMPOSE = """services:
  cache:
    image: valkey/valkey:8
  worker:
    image: shop
    command: celery -A shop worker
"""


def codes_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **files: str) -> set[str]:
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        (tmp_path / name.replace("__", ".")).write_text(text, encoding="utf-8")
    result = lint(["."], LintConfig(root=tmp_path, cache=False))
    assert result.unread == ()
    return {finding.code for finding in result.findings}


def test_celery_checks_no_types_so_a_missing_one_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "SFC774" not in codes_of(tmp_path, monkeypatch, shop__py=APP + "\n\n@app.task\ndef pay(order): ...\n")


def test_what_takes_anything_is_named_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "SFC774" in codes_of(tmp_path, monkeypatch, shop__py=APP + "\n\n@app.task\ndef pay(order: dict): ...\n")


LOOP = """

@app.task{options}
def sweep():
    for each in range(9):
        try:
            print(each)
        except Exception:
            print("failed", each)
"""


@pytest.mark.parametrize(("options", "told"), [("", False), ("(soft_time_limit=9)", True)])
def test_a_soft_limit_that_is_not_there_cannot_be_eaten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: str, told: bool
) -> None:
    found = codes_of(tmp_path, monkeypatch, shop__py=APP + LOOP.format(options=options))
    assert ("SFC741" in found) is told


SEND = """
from django.db import transaction


def view(request):
    with transaction.atomic({using}):
        pay.delay(1)


@app.task
def pay(order_id): ...
"""


@pytest.mark.parametrize(("using", "told"), [("", True), ("using=settings.REPLICA_NAME", False)])
def test_a_transaction_of_a_replica_holds_nothing_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, using: str, told: bool
) -> None:
    assert ("SFC702" in codes_of(tmp_path, monkeypatch, shop__py=APP + SEND.format(using=using))) is told


RETRY = """

@app.task(bind=True, max_retries=3)
def fetch(self):
    try:
        print()
    except OSError:
        {line}self.retry(countdown=9)
"""


@pytest.mark.parametrize(("line", "told"), [("", True), ("if self.request.retries < self.max_retries: ", False)])
def test_a_retry_that_is_never_the_last_hides_no_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, told: bool
) -> None:
    assert ("SFC624" in codes_of(tmp_path, monkeypatch, shop__py=APP + RETRY.format(line=line))) is told


@pytest.mark.parametrize(("broker", "told"), [("amqps://shop@mq.internal/", False), ("redis://cache/0", True)])
def test_a_cache_is_no_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broker: str, told: bool) -> None:
    app = APP.replace("amqps://shop@mq.internal/", broker)
    files = {"shop__py": app, "docker-compose__yml": COMPOSE}
    assert ("SFC963" in codes_of(tmp_path, monkeypatch, **files)) is told


def test_an_app_that_no_worker_runs_prefetches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf = "app.conf.worker_prefetch_multiplier = {number}\n"
    late = "\n\n@app.task(acks_late=True)\ndef pay(): ...\n"
    files = {
        "primary__py": APP + conf.format(number=1) + late,
        "client__py": APP + conf.format(number=9),
        "Procfile": "worker: celery -A primary worker\n",
    }
    assert "SFC521" not in codes_of(tmp_path, monkeypatch, **files)


def test_a_switch_of_development_is_no_fault_of_production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf = 'app.conf.task_always_eager = not os.environ.get("MQ_URL")\n'
    assert "SFC907" not in codes_of(tmp_path, monkeypatch, shop__py="import os\n" + APP + conf)
    assert "SFC907" in codes_of(tmp_path, monkeypatch, shop__py=APP + "app.conf.task_always_eager = True\n")


def test_routes_to_queues_behind_a_variable_are_not_called_dead_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = 'app.conf.task_routes = {"shop.pay": {"queue": "bills"}}\n\n\n@app.task\ndef pay(): ...\n'
    seen = codes_of(tmp_path, monkeypatch, shop__py=APP + conf, Procfile="worker: celery -A shop worker $OPTS\n")
    assert "SFC513" not in seen
    seen = codes_of(tmp_path, monkeypatch, shop__py=APP + conf, Procfile="worker: celery -A shop worker -Q other\n")
    assert "SFC513" in seen


def test_an_empty_address_of_the_environment_is_not_rabbitmq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = 'from celery import Celery\n\napp = Celery("shop")\n'
    assert "SFC509" in codes_of(tmp_path, monkeypatch, shop__py=app + "app.conf.task_acks_late = True\n")
    conf = 'app.conf.broker_url = os.environ.get("MQ_URL", "")\n'
    assert "SFC509" not in codes_of(tmp_path, monkeypatch, shop__py="import os\n" + app + conf)


WRAPPED = """
from functools import wraps


def cron(**options):
    def decorate(function):
        @wraps(function)
        def run(*args):
            return function(*args), options.pop("lock_timeout", 9)

        return app.task(**options)(run)

    return decorate


@cron(lock_timeout=60)
def sweep(): ...
"""


def test_an_option_of_the_projects_own_decorator_is_read_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "SFC901" not in codes_of(tmp_path, monkeypatch, shop__py=APP + WRAPPED)
    plain = APP + "\n\n@app.task(lock_timeout=60)\ndef sweep(): ...\n"
    assert "SFC901" in codes_of(tmp_path, monkeypatch, shop__py=plain)


def test_the_serializer_of_the_settings_is_not_the_tasks_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    conf = 'app.conf.task_serializer = "yaml"\n'
    seen = codes_of(tmp_path, monkeypatch, shop__py=APP + conf + "\n\n@app.task\ndef pay(): ...\n")
    assert "SFC101" in seen
    assert "SFC106" not in seen
    own = '\n\n@app.task(serializer="yaml")\ndef pay(): ...\n'
    assert "SFC106" in codes_of(tmp_path, monkeypatch, shop__py=APP + own)


def test_a_signature_may_be_set_immutable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call = "\n\n@app.task\ndef pay(): ...\n\n\ndef later():\n    return pay.s().set(immutable=True, {more})\n"
    assert "SFC902" not in codes_of(tmp_path, monkeypatch, shop__py=APP + call.format(more="queue='bills'"))
