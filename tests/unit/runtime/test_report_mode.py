"""What a worker takes in report mode, and the step that shows its numbers."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.exceptions import SecurityError

from safecelery import SafeCelery
from safecelery.errors import Reason, Rejected, SettingsError
from safecelery.message.stages import RawMessage, UnverifiedButReported
from safecelery.runtime import metrics
from safecelery.runtime.consume import receive
from safecelery.runtime.metrics import MetricsStep
from tests.unit.apps import an_app


def raw(**headers: Any) -> RawMessage:
    said = {"task": "orders.pay", "id": "1", **headers}
    return RawMessage(b"[[], {}, {}]", said, {}, "application/json", "utf-8", "orders")


def refusal(app: SafeCelery, message: RawMessage) -> Reason:
    with pytest.raises(Rejected) as caught:
        receive(message, app.guard, time.time())
    return caught.value.reason


def test_only_report_mode_takes_an_unsigned_message(tmp_path: Path) -> None:
    assert refusal(an_app(tmp_path), raw()) is Reason.ENVELOPE_MISSING
    app = an_app(tmp_path, firewall={"mode": "report"})
    assert isinstance(receive(raw(), app.guard, time.time()), UnverifiedButReported)


@pytest.mark.parametrize("envelope", ["", "rubbish", "e30.e30", ["a"], 0])
def test_an_envelope_that_does_not_hold_is_refused_in_report_mode(tmp_path: Path, envelope: Any) -> None:
    app = an_app(tmp_path, firewall={"mode": "report"})
    assert refusal(app, raw(safecelery=envelope)) in (Reason.ENVELOPE_MALFORMED, Reason.VERSION_UNSUPPORTED)


# the step ---------------------------------------------------------------------------------------------------------


def step(tmp_path: Path, **settings: Any) -> tuple[MetricsStep, Any]:
    worker = SimpleNamespace(app=an_app(tmp_path, metrics=settings))
    return MetricsStep(worker), worker


def test_without_a_port_nothing_listens_and_the_end_is_summed_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "serve", lambda *_: pytest.fail("listens"))
    made, worker = step(tmp_path)
    made.start(worker)
    with caplog.at_level(logging.INFO, "safecelery"):
        made.stop(worker)
    assert "firewall: " in caplog.text


def test_with_a_port_it_listens_until_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    monkeypatch.setattr(metrics, "library", lambda: None)
    monkeypatch.setattr(metrics, "serve", lambda *where: heard.append(where[:2]) or (lambda: heard.append("stopped")))
    made, worker = step(tmp_path, port=9100)
    made.start(worker)
    assert heard == [(9100, "127.0.0.1")]
    made.stop(worker)
    made.stop(worker)
    assert heard == [(9100, "127.0.0.1"), "stopped"]


def test_what_cannot_answer_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise SettingsError("not installed")

    monkeypatch.setattr(metrics, "library", missing)
    with pytest.raises(SecurityError, match="does not start"):
        step(tmp_path, port=9100)
