"""What is due far ahead is parked where its broker can; nothing is settled that is not parked."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from safecelery.brokers import rabbitmq_park
from safecelery.brokers.rabbitmq_park import RabbitMQParking
from safecelery.message.claims import Audience, Claims
from safecelery.runtime.park import Parking, due_at

NOW = 1_800_000_000.0
AHEAD_S = 60


def admitted(eta: object, queue: str = "orders") -> Any:
    claims = Claims(typ="task", kid="k", iat=1, exp=2, jti="a" * 16, aud=Audience(queue="orders"),
                    ct="application/json", ce="utf-8", cmp="gzip", hdr={"eta": eta, "task": "t"},
                    props={"priority": 3, "reply_to": None})  # fmt: skip
    verified = SimpleNamespace(claims=claims, queue=queue, body=b"body")
    return SimpleNamespace(claims=claims, queue=queue, verified=verified)


def at(seconds: float) -> str:
    return datetime.fromtimestamp(NOW + seconds, UTC).isoformat()


def parking() -> Parking:
    app: Any = SimpleNamespace()
    return Parking(app, AHEAD_S, clock=lambda: NOW)


@pytest.mark.parametrize("eta", [None, "", "soon", 5, {}])
def test_what_has_no_eta_has_no_time(eta: object) -> None:
    assert due_at(admitted(eta)) is None
    assert not parking().park(SimpleNamespace(), SimpleNamespace(), admitted(eta))  # type: ignore[arg-type]


@pytest.mark.parametrize(("ahead", "wanted"), [(-100, False), (0, False), (60, False), (61, True), (1e6, True)])
def test_the_threshold(ahead: float, wanted: bool) -> None:
    parked: list[float] = []
    channel = SimpleNamespace(park=lambda message, due: parked.append(due) or True)
    message: Any = SimpleNamespace(channel=channel)
    raw: Any = SimpleNamespace(headers={})
    assert parking().park(message, raw, admitted(at(ahead))) is wanted
    assert parked == ([NOW + ahead] if wanted else [])


def test_a_transport_that_cannot_park_leaves_it_to_celery() -> None:
    message: Any = SimpleNamespace(channel=SimpleNamespace())
    assert not parking().park(message, SimpleNamespace(headers={}), admitted(at(100)))  # type: ignore[arg-type]


class Refused(Exception):
    pass


class Published:
    """A connection pool, a producer and a message, and what was done with them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, error: Exception | None = None) -> None:
        self.calls: list[tuple[bytes, dict[str, Any]]] = []
        self.acknowledged = 0
        self.pool = self
        self.conf = SimpleNamespace(broker_pool_acquire_timeout=1, broker_native_delayed_delivery_queue_type="quorum")
        self.error = error
        monkeypatch.setattr(rabbitmq_park, "Producer", lambda connection, **options: self)
        monkeypatch.setattr(RabbitMQParking, "_prepare", lambda *args: None)

    @contextmanager
    def acquire(self, **options: Any) -> Any:
        yield SimpleNamespace(channel_errors=(Refused,))

    def publish(self, body: bytes, **options: Any) -> None:
        if self.error is not None:
            raise self.error
        self.calls.append((body, options))

    def ack(self) -> None:
        assert self.calls, "acknowledged before it was published"
        self.acknowledged += 1

    def park(self, ahead: float, queue: str = "orders") -> bool:
        app: Any = self
        return RabbitMQParking(app).park(app, admitted(at(ahead), queue).verified, "signed", ahead)


def test_only_what_was_signed_is_published_and_then_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    published = Published(monkeypatch)
    assert published.park(100)
    ((body, options),) = published.calls
    assert body == b"body"
    assert options["headers"] == {"eta": at(100), "task": "t", "safecelery": "signed", "compression": "gzip"}
    assert options["routing_key"].endswith(".1.1.0.0.1.0.0.safecelery.parked.orders")
    assert options["priority"] == 3
    assert options["mandatory"] is True
    assert "reply_to" not in options
    assert published.acknowledged == 1


def test_what_the_broker_refuses_is_not_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    published = Published(monkeypatch, error=Refused())
    assert not published.park(100)
    assert published.acknowledged == 0


def test_a_lost_connection_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match="gone"):
        Published(monkeypatch, error=OSError("gone")).park(100)


@pytest.mark.parametrize(("ahead", "queue"), [(0.9, "orders"), (100, "q" * 250)])
def test_what_no_routing_key_can_say_is_not_parked(monkeypatch: pytest.MonkeyPatch, ahead: float, queue: str) -> None:
    published = Published(monkeypatch)
    assert not published.park(ahead, queue)
    assert published.calls == []
