"""The two services under attack: one on safecelery, one on plain Celery."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from safecelery.cli.demo.attacks import Loot
from safecelery.cli.demo.book import Book
from safecelery.cli.demo.scene import PLAIN_DB, SAFE_DB, Scene
from safecelery.cli.demo.wire import QUEUE, Item
from safecelery.testing.processes import CeleryProcess

__all__ = ["Side", "plain_side", "safe_side"]

CANARY_S = 8.0
LINE = {"article": "tea", "count": 2, "price": 500}
ORDER = {"id": "ORD-7", "customer": "ann", "lines": [LINE]}
#: What the shop sends before any worker runs, in the order of ``Loot``'s fields.
COPIED: tuple[tuple[str, list[Any]], ...] = (
    ("orders.validate", [ORDER]),
    ("orders.refund", ["ORD-7", 500, "ann"]),
    ("orders.count_stock", [15]),
)


@dataclass(slots=True)
class Side:
    """A service, its broker as the attacker sees it, and its book."""

    app: Any
    """Celery app of the honest sender."""
    client: Any
    """A ``redis.Redis``, whose types cannot tell bytes from text."""
    administrator: redis.Redis
    book: Book
    make_worker: Callable[[], CeleryProcess]
    worker: CeleryProcess
    loot: Loot
    restarts: int = 0

    def canary(self) -> bool:
        """Does an honest task still get its result?"""
        result = self.app.send_task("orders.price_line", [LINE])
        deadline = time.monotonic() + CANARY_S
        while not result.ready():
            if not self.worker.running or time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return bool(result.result == 1000)

    def restart(self) -> None:
        """What an operator does with a dead worker. The queue is emptied, or it might die of the same message again."""
        self.worker.stop()
        self.administrator.flushdb()
        self.restarts += 1
        self.worker = self.make_worker().start()

    def close(self) -> None:
        """Stop the worker and hang up."""
        self.worker.stop()
        gc.collect()  # results hang up when they go, and would try for long once the broker is gone
        self.app.close()
        self.client.close()
        self.administrator.close()


def safe_side(scene: Scene) -> Side:
    """The service on safecelery; its sender is a shop that has a key and no code of the tasks."""
    from safecelery import create_app

    book = _book(scene, "book.jsonl")

    def make_worker() -> CeleryProcess:
        return CeleryProcess(
            "orders.app", "worker", ["-c", "2", "-Q", f"{QUEUE},returns", "--without-mingle", "--without-gossip"],
            directory=scene.directory, env=scene.environment("orders-worker", book.path),
        )  # fmt: skip

    app = create_app("shop", scene.settings("shop"))
    return _side(scene, app, SAFE_DB, book, make_worker)


def plain_side(scene: Scene) -> Side:
    """The same service on plain Celery, in a database of its own."""
    from celery import Celery

    book = _book(scene, "plain-book.jsonl")

    def make_worker() -> CeleryProcess:
        return CeleryProcess(
            "orders.plain", "worker", ["-c", "2", "-Q", f"{QUEUE},returns", "--without-mingle", "--without-gossip"],
            directory=scene.directory, env=scene.plain_environment(book.path), name="plain-worker",
        )  # fmt: skip

    url = scene.server.url_for(PLAIN_DB)
    app = Celery("plain-shop", broker=url, backend=url, set_as_current=False)
    tls = scene.server.broker_ssl
    app.conf.update(task_default_queue=QUEUE, broker_use_ssl=tls, redis_backend_use_ssl=tls)
    return _side(scene, app, PLAIN_DB, book, make_worker)


def _side(scene: Scene, app: Any, database: int, book: Book, make_worker: Callable[[], CeleryProcess]) -> Side:
    client = scene.attacker(database)
    keys = scene.identities.keys if database == SAFE_DB else None
    validate, refund, count = _copies(app, client)
    loot = Loot(validate, refund, count, keys)
    return Side(app, client, scene.administrator(database), book, make_worker, make_worker(), loot)


def _copies(app: Any, client: Any) -> list[Item]:
    """The shop sends; somebody with the broker's password reads along while the messages wait for a worker."""
    for task, args in COPIED:
        app.send_task(task, args)
    waiting = [Item.read(data) for data in client.lrange(QUEUE, 0, -1)]
    return [next(item for item in waiting if item.headers["task"] == task) for task, _ in COPIED]


def _book(scene: Scene, name: str) -> Book:
    path: Path = scene.directory / name
    path.touch(mode=0o600)
    return Book(path)


def result_of(client: Any, task_id: str) -> tuple[str, Any] | None:
    """State and result as the Redis backend keeps them (celery/backends/base.py, ``_get_result_meta``)."""
    data = client.get(f"celery-task-meta-{task_id}")
    if data is None:
        return None
    meta = json.loads(data)
    return meta["status"], meta["result"]
