"""Bad projects: retries, the code of tasks, results, and how it all is operated."""

from __future__ import annotations

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
