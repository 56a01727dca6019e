"""The service before it was hardened: plain Celery, and not a line of safecelery.

``celery -A service.plain worker`` runs its tasks; ``python -m service.plain WORK`` sends them, and prints what came of
it as a line of JSON. Each run leaves a line in the witness file, as those of ``service.factory`` do, with ``by``.
"""

from __future__ import annotations

import json
import os
import ssl
import sys
import time
from pathlib import Path
from typing import Any

from celery import Celery, chain, chord, group

QUEUE = "fleet"


def _tls(url: str, ca: str) -> dict[str, Any]:
    if url.startswith("rediss"):
        return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": ca, "ssl_check_hostname": True}
    return {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": ca, "server_hostname": "localhost"}


app = Celery("plain", broker=os.environ["PLAIN_BROKER"], backend=os.environ["PLAIN_RESULTS"])
app.conf.update(
    broker_use_ssl=_tls(os.environ["PLAIN_BROKER"], os.environ["PLAIN_CA"]),
    redis_backend_use_ssl=_tls(os.environ["PLAIN_RESULTS"], os.environ["PLAIN_CA"]),
    broker_connection_retry_on_startup=True,
    task_default_queue=QUEUE,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
)
if os.environ["PLAIN_BROKER"].startswith("amqps"):  # a fleet agrees on the type of its queues
    app.conf.update(task_default_queue_type="quorum", task_default_exchange_type="topic")


def witness(task: str, **what: Any) -> None:
    """Append one line, in one write, to the witness file."""
    with Path(os.environ["SERVICE_WITNESS"]).open("a") as file:
        file.write(json.dumps({"task": task, "at": time.time(), "by": "plain", **what}) + "\n")


@app.task(name="service.add")
def add(x: int, y: int) -> int:
    """Any work."""
    witness("add", x=x, y=y)
    return x + y


@app.task(name="service.total")
def total(numbers: list[int]) -> int:
    """The body of a chord."""
    witness("total", numbers=numbers)
    return sum(numbers)


@app.task(name="service.flaky", bind=True, max_retries=3, default_retry_delay=1)
def flaky(self: Any, failures: int) -> int:
    """Fails so many times."""
    witness("flaky", retries=self.request.retries)
    if self.request.retries < failures:
        raise self.retry(countdown=1)
    return int(self.request.retries)


@app.task(name="service.nap")
def nap(seconds: float) -> str:
    """Work that takes a while."""
    witness("nap", seconds=seconds)
    time.sleep(seconds)
    return "rested"


def every_kind() -> dict[str, Any]:
    """Send one of each kind of work, and wait for what comes of it."""
    sent = {
        "call": add.delay(1, 2),
        "retry": flaky.delay(1),
        "later": add.apply_async((3, 4), countdown=1),
        "chain": chain(add.s(5, 6), add.s(7)).delay(),
        "chord": chord([add.s(1, 1), add.s(2, 2)], total.s()).delay(),
    }
    found = {name: result.get(timeout=60) for name, result in sent.items()}
    return found | {"group": group(add.s(8, 8), add.s(9, 9)).delay().get(timeout=60)}


def naps(first: int, count: int) -> list[str]:
    """Send so many tasks that differ; their ids."""
    return [nap.delay(number / 10_000).id for number in range(first, first + count)]


def main(work: dict[str, Any]) -> Any:
    """Do what the command line asks for."""
    if work["do"] == "every-kind":
        return every_kind()
    if work["do"] == "naps":
        return naps(work["first"], work["count"])
    return app.send_task(work["task"], work["args"], countdown=work.get("countdown")).id


if __name__ == "__main__":
    outcome = main(json.loads(sys.argv[1]))
    print(json.dumps({"outcome": outcome, "safecelery": "safecelery" in sys.modules}))
