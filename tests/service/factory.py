"""Its tasks, on any app. Each run leaves a line in the witness file, so that a test sees what really ran."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from celery import Celery, shared_task
from pydantic import BaseModel

from safecelery import SafeCelery, SafeCelerySettings, SafeTask, TransientError, create_app

WITNESS = "SERVICE_WITNESS"


def witness(task: str, **what: Any) -> None:
    """Append one line, in one write, to the witness file."""
    if path := os.environ.get(WITNESS):
        line = json.dumps({"task": task, "at": time.time(), "pid": os.getpid(), **what}) + "\n"
        with Path(path).open("ab", buffering=0) as file:
            file.write(line.encode())


class Item(BaseModel):
    """What an order line is."""

    sku: str
    count: int


@shared_task(time_limit=20, soft_time_limit=15)
def shared(x: int) -> int:
    """Declared without an app."""
    witness("shared", x=x)
    return x


class Charge(SafeTask[[int], str]):
    """Declared as a class."""

    name = "service.charge"
    time_limit, soft_time_limit = 20, 15

    def run(self, amount: int) -> str:
        """Pretend to charge."""
        witness("charge", amount=amount)
        return f"charged {amount}"


def make_app(settings: SafeCelerySettings | None = None, **options: Any) -> SafeCelery:
    """The app with all tasks registered; reach them through ``app.tasks["service.NAME"]``."""
    app = create_app("service", settings, **options)
    add_tasks(app)
    app.register_task(Charge())
    return app


def add_tasks(app: Celery) -> None:
    """All tasks but the class, on an app that need not be ours."""
    _plain(app)
    _bound(app)
    _dangerous(app)


def _plain(app: Celery) -> None:
    @app.task(name="service.add", time_limit=20, soft_time_limit=15)
    def add(x: int, y: int) -> int:
        witness("add", x=x, y=y)
        return x + y

    @app.task(name="service.total", time_limit=20, soft_time_limit=15)
    def total(numbers: list[int]) -> int:
        witness("total", numbers=numbers)
        return sum(numbers)

    @app.task(name="service.order", time_limit=20, soft_time_limit=15)
    def order(item: Item, note: str = "") -> str:
        witness("order", sku=item.sku)
        return f"{item.count} x {item.sku}"

    @app.task(name="service.fail", time_limit=20, soft_time_limit=15)
    def fail(text: str) -> None:
        witness("fail")
        raise ValueError(text)

    @app.task(name="service.note", time_limit=20, soft_time_limit=15)
    def note(*args: Any, **kwargs: Any) -> str:
        """Takes anything: a callback or errback that leaves a witness."""
        witness("note", args=[repr(arg) for arg in args], kwargs=sorted(kwargs))
        return "noted"


#: More members of the request that a forger would like to choose.
_SEEN = ("id", "root_id", "parent_id", "group", "shadow", "stamps", "ignore_result", "eta", "expires", "correlation_id")


def _bound(app: Celery) -> None:
    @app.task(name="service.flaky", bind=True, time_limit=20, soft_time_limit=15, retry_backoff_max=1)
    def flaky(self: SafeTask[..., Any], failures: int) -> int:
        witness("flaky", retries=self.request.retries)
        if self.request.retries < failures:
            raise TransientError("not yet")
        return int(self.request.retries)

    @app.task(name="service.replaced", bind=True, time_limit=20, soft_time_limit=15)
    def replaced(self: SafeTask[..., Any], x: int) -> Any:
        witness("replaced", x=x)
        return self.replace(app.tasks["service.add"].s(x, x))

    @app.task(name="service.context", bind=True, time_limit=20, soft_time_limit=15)
    def context(self: SafeTask[..., Any]) -> dict[str, Any]:
        """What a task sees of its request."""
        request = self.request
        return {
            "headers": dict(request.headers or {}),
            "delivery_info": dict(request.delivery_info or {}),
            "reply_to": request.reply_to,
            "timelimit": request.timelimit,
            "retries": request.retries,
            **{name: getattr(request, name) for name in _SEEN},
        }


def _dangerous(app: Celery) -> None:
    @app.task(name="service.secret", time_limit=20, soft_time_limit=15)
    def secret(what: str = "") -> str:
        """Nobody but an administrator's key may send this."""
        witness("secret", what=what)
        return "secret"

    @app.task(name="service.vault", time_limit=20, soft_time_limit=15, ignore_result=True)
    def vault(what: str = "") -> None:
        """Where somebody says so, its messages must be encrypted."""
        witness("vault", what=what)

    @app.task(name="service.nap", time_limit=3, soft_time_limit=2)
    def nap(seconds: float) -> str:
        witness("nap", seconds=seconds)
        time.sleep(seconds)
        return "rested"

    @app.task(name="service.die", bind=True, time_limit=20, soft_time_limit=15, max_retries=2, default_retry_delay=1)
    def die(self: SafeTask[..., Any]) -> None:
        witness("die", retries=self.request.retries)
        os.kill(os.getpid(), signal.SIGKILL)
