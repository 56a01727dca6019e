"""The guard: what was approved stays approved until something changes."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import celery
import pytest

from safecelery import PolicyViolationError, SealError
from safecelery.errors import KeyringError
from safecelery.runtime.facts import reported
from safecelery.runtime.guard import guard_of
from safecelery.runtime.startup import _warn_of_report_mode, pool_name
from tests.unit.apps import PASSWORD, an_app, keys_in


def test_an_app_that_create_app_did_not_make_has_none() -> None:
    with pytest.raises(KeyringError, match="create_app"):
        guard_of(celery.Celery("plain", set_as_current=False))


def test_an_unchanged_configuration_is_not_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = an_app(tmp_path)
    looked: list[Any] = []
    monkeypatch.setattr(type(app.guard), "enforce_configuration", lambda self, **how: looked.append(how))
    app.guard.enforce_unchanged()
    assert looked == []
    app.conf.task_default_priority = 1
    app.guard.enforce_unchanged()
    assert len(looked) == 1


def test_what_was_refused_is_refused_again(tmp_path: Path) -> None:
    app = an_app(tmp_path)
    app.conf.task_serializer = "pickle"
    for _ in range(2):
        with pytest.raises(PolicyViolationError):
            app.guard.enforce_unchanged()


def test_warnings_are_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="safecelery"):
        app = an_app(tmp_path, policy="migration", broker={"url": "redis://h/0"})
        app.guard.enforce_configuration()
        app.guard.enforce_configuration()
    assert sum("SFC201" in record.getMessage() for record in caplog.records) == 1


def test_a_worker_needs_keys_that_it_trusts(tmp_path: Path) -> None:
    app = an_app(tmp_path, signing={"key": keys_in(tmp_path)["key"]})
    app.guard.enforce_configuration()
    with pytest.raises(PolicyViolationError, match="SFC302"):
        app.guard.enforce_configuration(consumes=True)


@pytest.mark.parametrize(("pool", "rule"), [("solo", "SFC410"), ("threads", "SFC410"), ("x.y:Pool", "SFC41")])
def test_the_pool_really_chosen_is_what_counts(tmp_path: Path, pool: str, rule: str) -> None:
    app = an_app(tmp_path)
    app.guard.enforce_configuration(pool="prefork", consumes=True)
    with pytest.raises(PolicyViolationError, match=rule):
        app.guard.enforce_configuration(pool=pool, consumes=True)


def test_pools_are_named_as_celery_names_them() -> None:
    from celery.concurrency import get_implementation

    for name in ("prefork", "solo", "threads"):
        assert pool_name(get_implementation(name)) == name
    assert pool_name("custom") == "custom"
    assert pool_name(Path) == f"{Path.__module__}:Path"


def test_a_sender_that_is_not_granted_what_it_sends_is_told_at_once(tmp_path: Path) -> None:
    from safecelery.keys.generate import trust_entry
    from safecelery.keys.sources import load_private

    keys = keys_in(tmp_path)
    keys["trust_file"].write_text(trust_entry(load_private(keys["key"]), send=["shop.*"], queues=["celery"]))
    app = an_app(tmp_path, memory=True, signing=keys)
    app.send_task("shop.charge")
    with pytest.raises(SealError, match=r"admin\.drop"):
        app.send_task("admin.drop")
    with pytest.raises(SealError, match="elsewhere"):
        app.send_task("shop.charge", queue="elsewhere")


def test_nothing_that_is_printed_holds_a_secret(tmp_path: Path) -> None:
    app = an_app(tmp_path)
    secret = next(line for line in (tmp_path / "orders.key").read_text().splitlines() if line.startswith("secret"))
    printed = " ".join(map(repr, (app, app.guard, app.guard.settings, app.guard.ring, app.guard.ring.active)))
    printed += app.conf.humanize() + str(app.connection_for_write())
    assert PASSWORD not in printed
    assert secret.split('"')[1] not in printed


def test_report_mode_is_a_warning_and_under_strict_an_error(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    an_app(tmp_path, firewall={"mode": "report"})
    assert "SFC313 firewall-only-reports" in caplog.text
    with pytest.raises(PolicyViolationError, match=r"SFC313.*every sender"):
        an_app(tmp_path, firewall={"mode": "report"}, policy="strict")


def test_a_key_in_report_mode_is_told_by_its_owner(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    trust: Path = keys_in(tmp_path)["trust_file"]
    trust.write_text(trust.read_text() + 'mode = "report"\n')
    app = an_app(tmp_path)
    assert reported(app.guard) == ("orders",)
    caplog.clear()
    _warn_of_report_mode(app.guard)
    assert "REPORT MODE for orders" in caplog.text


def test_each_worker_in_report_mode_says_so_and_no_other(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    reporting, enforcing = an_app(tmp_path, firewall={"mode": "report"}), an_app(tmp_path)
    caplog.clear()
    _warn_of_report_mode(enforcing.guard)
    assert caplog.text == ""
    for start in (1, 2):
        _warn_of_report_mode(reporting.guard)
        assert caplog.text.count("REPORT MODE: the firewall of this worker keeps nobody out") == start
