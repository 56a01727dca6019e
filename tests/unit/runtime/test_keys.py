"""A running app follows its keys: what the policy still has to say, and what an idle worker does."""

from __future__ import annotations

import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kombu.asynchronous.timer import Timer

from safecelery import SafeCelery
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.keys.watched import PACE_S
from safecelery.runtime.keys import IDLE_LOOK_S, KeysStep, look
from tests.unit.apps import an_app


def republished(app: SafeCelery, change: str) -> TrustStore:
    """What the app believes after this was added to the last entry of its trust file, and a look was taken."""
    path: Path = app.guard.settings.signing.trust_file
    new = path.with_name("new")
    new.write_text(path.read_text() + change)
    new.chmod(0o644)
    new.replace(path)
    app.guard.ring._store._next = 0.0
    return app.guard.ring.trust


def modes(trust: TrustStore) -> set[str]:
    return {key.mode for key in trust.keys.values()}


def test_a_key_in_report_mode_comes_in_only_where_the_policy_lets_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('name = "no-report"\nextends = "baseline"\n[rules]\nfirewall-only-reports = "error"\n')
    app = an_app(tmp_path, policy=str(policy))
    assert modes(republished(app, 'mode = "report"\n')) == {"enforce"}
    assert "SFC313" in caplog.text
    assert "trust file cannot be used as it is now" in caplog.text


def test_where_it_does_the_log_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = an_app(tmp_path)
    assert modes(republished(app, 'mode = "report"\n')) == {"report"}
    assert "REPORT MODE for orders, from now on" in caplog.text


def test_other_changes_are_not_the_policys_business(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = an_app(tmp_path)
    monkeypatch.setattr(type(app.guard), "enforce", lambda *_: pytest.fail("looked"))
    assert all(key.revoked for key in republished(app, "revoked = true\n").keys.values())


def test_an_idle_worker_looks_by_its_own_timer_until_it_stops(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    worker: Any = SimpleNamespace(app=an_app(tmp_path), timer=Timer(max_interval=10.0))
    step = KeysStep(worker)
    step.stop(worker)
    step.start(worker)
    (entry,) = [scheduled.entry for scheduled in worker.timer.queue]
    worker.app.guard.settings.signing.trust_file.write_text("")
    worker.app.guard.ring._store._next = 0.0
    with caplog.at_level(logging.ERROR, "safecelery"):
        entry()
    assert "no keys" in caplog.text
    step.stop(worker)
    assert entry.canceled
    assert IDLE_LOOK_S >= PACE_S


def test_a_ring_of_fixed_keys_has_nothing_to_look_at(tmp_path: Path) -> None:
    guard = an_app(tmp_path).guard
    guard.ring = Keyring(guard.ring.active, guard.ring.trust)
    look(guard)


def test_the_first_message_and_the_start_of_a_worker_warn_of_keys_that_end_soon(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = an_app(tmp_path)
    assert caplog.records == [], "who only looks is told nothing"
    app.guard.enforce_unchanged()
    soon = [record for record in caplog.records if getattr(record, "safecelery_event", "") == "key-expiring"]
    assert {record.safecelery_owner for record in soon} == {"orders"}, "the keys of these tests live for a day"
    app.guard.enforce_unchanged()
    assert len(caplog.records) == len(soon)
    caplog.clear()
    step = KeysStep(SimpleNamespace(app=app))
    step.start(SimpleNamespace(app=app, timer=Timer()))
    assert len(caplog.records) == len(soon), "again, in the worker's own log"
