"""Bad projects: what messages are made of, how they travel, who sends them, how long they run, what becomes of them."""

from __future__ import annotations

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
