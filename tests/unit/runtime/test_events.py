"""Whoever listens to events hears those that are some, and is ended by nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import Reason, SealError
from safecelery.runtime.events import SafeReceiver
from safecelery.runtime.gossip import SafeGossip
from safecelery.telemetry.control import EVENTS_DROPPED
from tests.unit.apps import an_app

GOOD = {"type": "worker-online", "clock": 3, "hostname": "a@host", "timestamp": 1.0, "utcoffset": 0}


def a_receiver(heard: list[Any]) -> SafeReceiver:
    receiver = SafeReceiver.__new__(SafeReceiver)
    clock = SimpleNamespace(value=1)
    receiver.clock, receiver.adjust_clock, receiver.forward_clock = clock, lambda other: other + 1, lambda: 1
    receiver.handlers = {"*": lambda event: heard.append(event["type"])}
    return receiver


def test_good_events_are_handled_though_others_are_not() -> None:
    heard: list[Any] = []
    before = EVENTS_DROPPED[Reason.BODY_MALFORMED]
    a_receiver(heard)._receive(
        [dict(GOOD), 3, {}, {**GOOD, "clock": float("inf")}, {**GOOD, "type": "task-sent"}], None
    )
    assert heard == ["worker-online", "task-sent"]
    assert EVENTS_DROPPED[Reason.BODY_MALFORMED] == before + 3


def test_a_handler_that_fails_ends_nobody(caplog: pytest.LogCaptureFixture) -> None:
    receiver = a_receiver([])
    receiver.handlers = {"worker-online": lambda event: 1 / 0}
    receiver._receive(dict(GOOD), None)
    assert "event dropped: internal (handling the event failed with ZeroDivisionError)" in caplog.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*GOOD, "x"]), inner, max_size=4),
    max_leaves=8,
)


@given(JSON)
def test_no_event_raises(body: Any) -> None:
    a_receiver([])._receive(body, None)


def test_who_may_not_ask_for_heartbeats_waits(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise SealError("may not")

    receiver = a_receiver([])
    receiver.channel = None
    receiver.app = SimpleNamespace(control=SimpleNamespace(broadcast=refuse))
    receiver.wakeup_workers()
    assert "events: workers were not asked for a heartbeat: may not" in caplog.text


def test_the_receiver_of_an_app_is_ours(tmp_path: Path) -> None:
    assert issubclass(an_app(tmp_path).events.Receiver, SafeReceiver)


def a_gossip() -> SafeGossip:
    gossip = SafeGossip.__new__(SafeGossip)
    gossip.hostname, gossip.event_handlers = "a@host", {}
    gossip.clock = SimpleNamespace(forward=lambda: 1)
    gossip.heard = []
    gossip.update_state = gossip.heard.append
    return gossip


def test_gossip_hears_events_and_nothing_else() -> None:
    gossip = a_gossip()
    before = EVENTS_DROPPED[Reason.BODY_MALFORMED]

    def message(payload: Any, key: Any = "worker.heartbeat", headers: Any = None) -> Any:
        info = {"routing_key": key}
        return SimpleNamespace(
            payload=payload, delivery_info=info, headers={"hostname": "b"} if headers is None else headers
        )

    gossip.on_message(lambda body: (body["type"], body), message(dict(GOOD)))
    assert gossip.heard == [GOOD]
    bad = [message(3), message({}), message({**GOOD, "clock": "1"}), message(dict(GOOD), key=3), SimpleNamespace()]
    for received in bad:
        gossip.on_message(lambda body: (body["type"], body), received)
    assert gossip.heard == [GOOD]
    assert EVENTS_DROPPED[Reason.BODY_MALFORMED] == before + len(bad)


@pytest.mark.parametrize("enabled", [True, False])
def test_gossip_has_no_elections_and_says_that_it_is_unsigned(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, enabled: bool
) -> None:
    def init(self: Any, c: Any, **kwargs: Any) -> None:
        self.enabled, self.event_handlers, self.election_handlers = enabled, {"worker.elect": 1}, {"task": 1}

    monkeypatch.setattr("celery.worker.consumer.gossip.Gossip.__init__", init)
    gossip = SafeGossip(SimpleNamespace())
    assert (gossip.event_handlers, gossip.election_handlers) == ({}, {})
    assert ("gossip is on" in caplog.text) is enabled
