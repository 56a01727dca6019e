"""One bad project for each family of rules: everything in it that the linter promises to find is found.

docs/lint-coverage.md lists the promises; a test holds the two together.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from safecelery.lint.config import LintConfig
from safecelery.lint.engine import lint
from safecelery.policy.rules import BY_CODE

DOCUMENT = Path(__file__).parents[2] / "docs" / "lint-coverage.md"

SERIALIZATION = {
    "shop/app.py": """\
import pickle

from celery import Celery
from kombu import serialization
from kombu.serialization import enable_insecure_serializers

app = Celery("shop", broker="amqps://user@mq.internal//")
app.conf.task_serializer = "pickle"
app.conf.result_serializer = "yaml"
app.conf.event_serializer = "msgpack"
app.conf.accept_content = ["json", "application/x-python-serialize"]
app.conf.result_accept_content = ["pickle"]
serialization.register("mine", pickle.dumps, pickle.loads, content_type="application/x-mine")
serialization.registry.register("args", pickle.dumps, pickle.loads, "application/x-python-serialize")
enable_insecure_serializers(["pickle"])


@app.task(serializer="pickle")
def charge(blob: bytes) -> None:
    pickle.loads(blob)


def send() -> None:
    charge.apply_async((b"",), serializer="yaml")
""",
    "requirements.txt": "celery-pydantic==0.1\ncelery-typed==0.2\n",
}

TRANSPORT = {
    "shop/redis_app.py": """\
from celery import Celery

app = Celery("cache", broker="rediss://:hunter2@redis.internal/0")
app.conf.broker_use_ssl = True
app.conf.result_backend = "redis://results.internal/0"
app.conf.security_key_password = "hunter3"
""",
    "shop/plain_app.py": """\
import ssl

from celery import Celery

app = Celery("plain", broker="amqp://guest:guest@one.internal//;amqps://b:c@two.internal//")
app.conf.broker_use_ssl = {"cert_reqs": ssl.CERT_NONE}
app.conf.broker_transport_options = {"confirm_publish": False}
""",
    "shop/optional_app.py": """\
from celery import Celery

app = Celery("optional", broker="rediss://:x@r.internal/0")
app.conf.broker_use_ssl = {"ssl_cert_reqs": "optional"}
app.conf.result_backend = "rediss://:x@r.internal/1"
""",
    "shop/memory_app.py": """\
from celery import Celery

app = Celery("memory", broker="memory://")
""",
}

SIGNING = {
    "shop/app.py": """\
from celery import Celery

app = Celery("shop", broker="amqps://mq.internal//")
app.conf.update(
    task_serializer="auth", accept_content=["auth"], security_key="k.pem", security_certificate="c.pem",
    security_cert_store="*.pem", security_digest="sha1",
)
app.setup_security()
""",
    "deploy/worker.pem": "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n",
    "deploy/trust.toml": """\
[keys."web-1"]
owner = "web"
scheme = "ed25519"
public = "AAAA"
send = ["*"]
queues = ["*"]
control = ["*"]
""",
    ".git/index": "DIRC\x00\x00\x00\x02deploy/worker.pem\x00",
}

LIMITS = {
    "shop/app.py": """\
from celery import Celery

app = Celery("shop", broker="amqps://mq.internal//")
app.conf.worker_pool = "threads"
app.conf.beat_schedule = {
    "often": {"task": "shop.app.slow", "schedule": 60.0},
    "nightly": {"task": "shop.app.slow", "schedule": __import__("celery").schedules.crontab(hour=3)},
}


@app.task
def without() -> None: ...


@app.task(time_limit=0, soft_time_limit=None)
def zero() -> None: ...


@app.task(time_limit=300, soft_time_limit=300)
def slow() -> None: ...


@app.task(time_limit=90_000, soft_time_limit=80_000)
def endless() -> None: ...


@app.task(task_time_limit=300)
def mistaken() -> None: ...


def send() -> None:
    slow.apply_async(time_limit=None)
    slow.apply_async(time_limit=80_000)
    slow.signature((), time_limit=0)
    app.control.time_limit("shop.app.slow", hard=None)
""",
    "Dockerfile": "FROM python:3.12\nUSER app\nCMD celery -A shop.app worker -P gevent\n",
    "docker-compose.yml": "services:\n  w:\n    image: shop\n    command: celery -A shop.app worker --pool=solo\n",
    "worker.service": "[Service]\nUser=app\nExecStart=/usr/bin/celery -A shop.app worker --pool threads\n",
    "supervisord.conf": "[program:w]\ncommand=celery -A shop.app worker -P eventlet\nuser=app\n",
    "Procfile": "worker: celery -A shop.app worker -P threads --time-limit=90000\n",
    "k8s/worker.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: w}
spec:
  template:
    spec:
      containers:
        - name: w
          image: shop
          command: ["celery", "-A", "shop.app", "worker", "-P", "gevent"]
""",
}

DELIVERY = {
    "shop/redis_app.py": """\
from celery import Celery

app = Celery("redis", broker="rediss://:x@r.internal/0?ssl_cert_reqs=required")
app.conf.task_acks_late = True
app.conf.broker_transport_options = {"visibility_timeout": 30}
app.conf.worker_prefetch_multiplier = 0
app.conf.task_create_missing_queues = False
app.conf.task_routes = {"shop.redis_app.charge": {"queue": "nosuch"}, "shop.gone.*": {"queue": "celery"}}


@app.task(time_limit=600, soft_time_limit=500, acks_late=True)
def charge() -> None: ...


@app.task(bind=True, time_limit=60, soft_time_limit=50)
def again(self) -> None:
    from celery.exceptions import Reject

    raise Reject("later", requeue=True)


def send() -> None:
    charge.apply_async(countdown=7200, expires=60)
""",
    "shop/rabbit_app.py": """\
from celery import Celery
from kombu import Queue

app = Celery("rabbit", broker="amqps://mq.internal//")
app.conf.task_queues = [Queue("billing", durable=False), Queue("unread")]
app.conf.task_acks_on_failure_or_timeout = False


@app.task(time_limit=600, soft_time_limit=500, queue="unread", acks_late=True)
def charge() -> None: ...


@app.task(time_limit=600, soft_time_limit=500)
def early() -> None: ...
""",
    "Procfile": "worker: celery -A shop.rabbit_app worker -Q billing\n",
}

RETRIES = {
    "shop/app.py": """\
import requests
from celery import Celery

app = Celery("shop", broker="amqps://mq.internal//")


@app.task
def fetches() -> None:
    requests.get("https://a.example", timeout=5)


@app.task(max_retries=None, autoretry_for=(Exception,), retry_backoff=True, retry_jitter=False)
def forever() -> None: ...


@app.task(retry_backoff=True)
def alone() -> None: ...


@app.task(autoretry_for=(ConnectionError,), retry_backoff=True, retry_kwargs={"countdown": 5})
def overwritten() -> None: ...


@app.task(bind=True)
def swallowed(self) -> None:
    try:
        requests.get("https://a.example", timeout=5)
        raise self.retry(countdown=60)
    except Exception:
        pass


@app.task(bind=True)
def forgetful(self) -> None:
    try:
        requests.get("https://a.example", timeout=5)
    except OSError:
        self.retry(countdown=60)
""",
}

TASK_CODE = {
    "shop/tasks.py": """\
import time
from typing import Any

import paramiko
import redis
import requests
import stripe
from celery import Celery
from celery.exceptions import SoftTimeLimitExceeded
from django.core.mail import send_mail
from django.db import transaction

from shop.models import Order

app = Celery("shop", broker="amqps://mq.internal//")


@app.task(acks_late=True, autoretry_for=(ConnectionError,))
def counts(order_id: int) -> None:
    order = Order.objects.get(pk=order_id)
    order.count += 1
    order.save()
    Order.objects.create(copy_of=order_id)
    stripe.Charge.create(amount=1, currency="eur")
    send_mail("paid", "", "a@example.com", ["b@example.com"])


@app.task
def waits(order_id: int) -> None:
    counts.delay(order_id).get()


@app.task
def talks(data: dict) -> list:
    requests.get("https://a.example")
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    client.connect("host")
    redis.Redis(host="r").get("x")
    return list(Order.objects.all())


@app.task
def stubborn() -> None:
    while True:
        try:
            time.sleep(60)
        except SoftTimeLimitExceeded:
            continue


@app.task(soft_time_limit=25)
def eats(ids: list[int]) -> None:
    for one in ids:
        try:
            crunch(one)
        except:  # noqa: E722
            print("failed", one)


@app.task
def fans_out(ids: list[int]) -> None:
    for one in ids:
        counts.delay(one)


def view(request: Any) -> None:
    with transaction.atomic():
        order = Order.objects.create()
        counts.delay(order)
        talks.delay(open("a"))
        talks.delay(request.user.password)
""",
    "shop/models.py": "from django.db.models import Model\n\n\nclass Order(Model):\n    pass\n",
}

RESULTS = {
    "shop/app.py": """\
from celery import Celery

app = Celery("shop", broker="amqps://mq.internal//", backend="rediss://:x@r.internal/0?ssl_cert_reqs=required")
app.conf.result_expires = None
app.conf.result_extended = True
app.conf.result_backend_transport_options = {"signed_data": True}


@app.task
def charge(card: str) -> int:
    return 1
""",
}

OPERATIONS = {
    "shop/app.py": """\
from celery import Celery

app = Celery("shop", broker="amqps://mq.internal//")
app.config_from_object("shop.settings", namespace="CELERY")
app.conf.task_always_eager = True
app.conf.worker_state_db = "/tmp/worker.state"
app.conf.task_time_limt = 300


@app.task(acks_latee=True)
def charge() -> None: ...


def send() -> None:
    charge.apply_async(queu="slow", countdwn=3)
""",
    "shop/settings.py": "TASK_TIME_LIMIT = 300\nCELERY_TASK_SOFT_TIME_LIMT = 200\nCELERY_TIMEZONE = 'UTC'\n",
    "docker-compose.yml": """\
services:
  worker:
    image: shop
    user: root
    environment: {C_FORCE_ROOT: "1"}
    command: celery -A shop.app worker -B --statedb=/tmp/w.state
  beat:
    image: shop
    command: celery -A shop.app beat
    deploy: {replicas: 2}
  ui:
    image: shop
    command: celery -A shop.app flower
""",
    "Dockerfile": "FROM python:3.13-slim\nUSER shop\nCMD celery -A shop.app worker\n",
    "requirements.txt": "celery==4.4.0\n",
}

GROUPS = {
    "1xx": SERIALIZATION,
    "2xx": TRANSPORT,
    "3xx": SIGNING,
    "4xx": LIMITS,
    "5xx": DELIVERY,
    "6xx": RETRIES,
    "7xx": TASK_CODE,
    "8xx": RESULTS,
    "9xx": OPERATIONS,
}


def promised() -> dict[str, set[str]]:
    """The codes of the table in docs/lint-coverage.md, by heading."""
    found: dict[str, set[str]] = {}
    heading = ""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            heading = line[3:6]
        elif line.startswith("| ") and "SFC" in line:
            found.setdefault(heading, set()).update(re.findall(r"SFC\d{3}", line.rpartition("|")[0].rpartition("|")[2]))
    return found


@pytest.mark.parametrize("group", GROUPS)
def test_everything_that_is_promised_is_found_in_the_bad_project(tmp_path: Path, group: str) -> None:
    project = tmp_path / "project"
    for name, text in GROUPS[group].items():
        path = project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="latin-1" if name.startswith(".git/") else "utf-8")
    config = LintConfig(cache=False, jobs=1, include_tests=True, root=project)
    result = lint([str(project)], config)
    found = {finding.code for finding in result.findings}
    covered = {code for finding in result.findings for code in re.findall(r"SFC\d{3}", finding.message)}
    assert not result.unread
    assert sorted(promised()[group] - found - covered) == []


def test_the_document_names_rules_that_exist() -> None:
    assert set(promised()) == set(GROUPS)
    assert {code for codes in promised().values() for code in codes} <= set(BY_CODE)


@pytest.mark.parametrize(
    "file",
    ["Dockerfile", "docker-compose.yml", "worker.service", "supervisord.conf", "Procfile", "k8s/worker.yaml"],
)
def test_a_pool_that_ignores_limits_is_found_in_every_kind_of_deployment_file(tmp_path: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(LIMITS[file])
    assert "SFC430" in codes_of(tmp_path, {})


def codes_of(project: Path, files: dict[str, str]) -> set[str]:
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    result = lint([str(project)], LintConfig(cache=False, jobs=1, include_tests=True, root=project))
    assert not result.unread
    return {finding.code for finding in result.findings}


_APP = "from celery import Celery\n\napp = Celery('shop', broker='amqps://mq.internal//')\n"
_TASK = "\n\n@app.task(time_limit=60, soft_time_limit=50)\ndef work(x: int) -> None:\n"


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("SFC111", "import pickle\n\nregister_args = (pickle.dumps, pickle.loads, 'application/x-mine', 'binary')\n"),
        ("SFC207", "app.conf.update(broker_url='redis://r/0', broker_use_ssl={})\n"),
        ("SFC215", "app.conf.broker_url = 'filesystem://'\n"),
        ("SFC205", "app.conf.broker_url = 'rediss://:@r.internal/0'\n"),
        ("SFC201", "app.conf.broker_url = ['amqps://one//', 'amqp://two//']\n"),
        ("SFC416", "app.control.time_limit('shop.work', soft=10, hard=None)\n"),
        ("SFC731", "import socket\n" + _TASK + "    socket.create_connection(('h', 1))\n"),
        ("SFC760", "import psycopg2\n" + _TASK + "    psycopg2.connect('dsn').cursor().execute('select 1')\n"),
        ("SFC701", "from celery import group\n" + _TASK + "    group([other.s(1)])().join()\n"),
        ("SFC903", "app.conf.task_time_limitt = 3\n"),
        ("SFC906", "app.config_from_object({'CELERY_TASK_TIME_LIMIT': 3, 'task_serializer': 'json'})\n"),
        ("SFC911", "app.conf.beat_schedule = {'a': {'task': 'x', 'schedule': 900.0}}\n"),
        ("SFC504", _TASK + "    pass\n\n\ndef send():\n    work.apply_async((1,), countdown=60 * 86400)\n"),
        ("SFC503", "app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True)\n" + _TASK + "    pass\n"),
    ],
)  # fmt: skip
def test_single_items_are_found_where_nothing_else_is_wrong(tmp_path: Path, code: str, text: str) -> None:
    assert code in codes_of(tmp_path / "project", {"shop.py": _APP + text})
