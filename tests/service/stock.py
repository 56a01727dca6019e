"""The same tasks on plain Celery, or with its ``auth``: ``celery -A service.stock worker``. What attacks compare with.

Acknowledgement is late, as it is with safecelery, and lost children give their message back. Everything else is as
Celery has it, but for what the broker needs: TLS, and quorum queues on RabbitMQ.
"""

from __future__ import annotations

import os
import ssl
from typing import Any

from celery import Celery, Task

from safecelery import TransientError
from service.factory import add_tasks

__all__ = ["app"]


class StockTask(Task):  # type: ignore[misc]
    """The retries that SafeTask has on by itself, for the task that counts them."""

    autoretry_for = (TransientError,)
    retry_backoff = True
    retry_jitter = False


def _ssl(url: str, ca: str) -> dict[str, Any]:
    if url.startswith("rediss"):
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": ca, "ssl_check_hostname": True}
    return {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": ca, "server_hostname": "localhost"}


def _make(environ: os._Environ[str]) -> Celery:
    broker, results, ca = environ["STOCK_BROKER"], environ["STOCK_RESULTS"], environ["STOCK_CA"]
    made = Celery("stock", broker=broker, backend=results, task_cls=StockTask)
    made.conf.update(
        broker_use_ssl=_ssl(broker, ca),
        redis_backend_use_ssl=_ssl(results, ca),
        broker_connection_retry_on_startup=True,
        task_default_queue="orders",
        task_acks_late=True,
        task_reject_on_worker_lost=True,
    )
    if environ["STOCK_QUORUM"]:
        made.conf.update(
            task_default_queue_type="quorum", task_default_exchange_type="topic",
            task_create_missing_queue_type="quorum", task_create_missing_queue_exchange_type="topic",
        )  # fmt: skip
    if environ["STOCK_VARIANT"] == "auth":
        made.conf.update(
            security_key=environ["STOCK_KEY"], security_certificate=environ["STOCK_CERTIFICATE"],
            security_cert_store=environ["STOCK_STORE"], task_serializer="auth", accept_content=["auth"],
            result_accept_content=["json"],
        )  # fmt: skip
        made.setup_security()
    add_tasks(made)
    return made


app = _make(os.environ)
