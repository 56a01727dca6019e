"""What is said and counted about keys."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from safecelery.keys.generate import generate_key, trust_entry, write_private
from safecelery.keys.live import LiveKeyring
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.keys.watched import Failed, Loaded
from safecelery.telemetry.keys import ExpiryWatch, KeyLog, key_gauges
from safecelery.telemetry.metrics import KEY_FAILURES
from tests.unit.keys.key_builders import NOW, T, a_private, a_ring, an_entry

DAY = 86_400
YEAR = timedelta(days=365)
KID = a_private().kid


def store(*entries: str) -> TrustStore:
    return TrustStore.parse("\n".join(entries), "test") if entries else TrustStore(MappingProxyType({}))


def other(name: str) -> str:
    return trust_entry(a_private(name), send=["a"], queues=["q"])


def said(caplog: pytest.LogCaptureFixture, before: TrustStore, after: TrustStore, *, mended: bool = False) -> str:
    caplog.clear()
    KeyLog().loaded(Loaded("trust", "/etc/trust.toml", before, after, mended))
    return caplog.messages[-1]


def test_a_reload_says_what_is_different(caplog: pytest.LogCaptureFixture) -> None:
    before = store(an_entry(), other("one"), other("two"))
    after = store(an_entry(revoked="true"), other("two").replace('"a"', '"b"'), other("three"))
    assert said(caplog, before, after) == (
        "trust file /etc/trust.toml changed and was read again: 3 keys; "
        f"added: {a_private('three').kid}; removed: {a_private('one').kid}; revoked: {KID}; "
        f"changed: {a_private('two').kid}"
    )
    assert caplog.records[-1].levelno == logging.WARNING, "a worker logs no less, and a revocation must be seen"


def test_a_mended_file_says_so(caplog: pytest.LogCaptureFixture) -> None:
    text = said(caplog, store(an_entry()), store(an_entry()), mended=True)
    assert text == "trust file /etc/trust.toml can be used again: 1 keys"


def test_a_crowd_of_changes_is_one_bounded_line(caplog: pytest.LogCaptureFixture) -> None:
    text = said(caplog, store(), store(*(other(f"owner{n}") for n in range(300))))
    assert "and 280 more" in text
    assert len(text) < 1000


def test_a_private_key_that_changed_says_who_signs_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    now = datetime.now(UTC)
    key, later = generate_key("web", now=now - timedelta(days=1)), generate_key("web", now=now + timedelta(days=1))
    KeyLog().loaded(Loaded("key", "directory:/keys", (key,), (key, later), mended=False))
    assert f"signing with {key.kid}; then {later.kid} from {later.created:%Y-%m-%d %H:%M:%S} UTC" in caplog.text


def test_a_failure_is_counted_each_time_and_said_when_it_is_news(caplog: pytest.LogCaptureFixture) -> None:
    before = KEY_FAILURES.total(file="trust")
    for news in (True, False, False):
        KeyLog().failed(Failed("trust", "t.toml", "trust store t.toml: mode 0664; chmod go-w t.toml", T, news))
    assert KEY_FAILURES.total(file="trust") == before + 3
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "trust file cannot be used as it is now: trust store t.toml: mode 0664; chmod go-w t.toml" in caplog.text
    assert "the one of 2027-01-15 12:00:00 UTC stays in use" in caplog.text


def test_each_key_is_warned_of_once_at_each_stage(caplog: pytest.LogCaptureFixture) -> None:
    clock = [T - 10 * DAY]
    watch = ExpiryWatch(lambda: clock[0])
    heard = []
    for _ in range(60 * 24):
        watch.look(a_ring())
        heard += [(round((clock[0] - T) / DAY), message) for message in caplog.messages]
        caplog.clear()
        clock[0] += 3600
    assert [(day, message.split(" (")[0]) for day, message in heard] == [
        (0, f"own key {KID} of web expires in 30 days"), (0, f"trusted key {KID} of web expires in 30 days"),
        (23, f"own key {KID} of web expires in 7 days"), (23, f"trusted key {KID} of web expires in 7 days"),
        (30, f"own key {KID} of web has expired"), (30, f"trusted key {KID} of web has expired"),
    ]  # fmt: skip
    assert heard[0][1].endswith(
        f"(2027-02-14 12:00:00 UTC); fix: safecelery keys rotate {KID} --trust FILE, or remove its "
        "entry if nobody needs it any more"
    )


def test_an_expired_key_that_was_replaced_is_history(caplog: pytest.LogCaptureFixture) -> None:
    later = trust_entry(a_private(secret=bytes(32), created=datetime(2027, 2, 1, tzinfo=UTC), expires=NOW + YEAR))
    ring = Keyring(None, store(an_entry(), later))
    ExpiryWatch(lambda: T + 31 * DAY).look(ring)
    assert caplog.messages == []
    ExpiryWatch(lambda: T + 29 * DAY).look(ring)
    assert len(caplog.messages) == 1, "before its end it is not: somebody may use it"


def test_a_worker_says_it_again_in_its_own_log(caplog: pytest.LogCaptureFixture) -> None:
    watch = ExpiryWatch(lambda: T + 29.5 * DAY)
    watch.look(a_ring())
    watch.look(a_ring())
    assert len(caplog.messages) == 2
    assert "expires in 12 h" in caplog.text
    watch.look(a_ring(), again=True)
    assert len(caplog.messages) == 4


def test_keys_with_time_left_are_not_mentioned(caplog: pytest.LogCaptureFixture) -> None:
    ExpiryWatch(lambda: T - 365 * DAY).look(a_ring())
    assert caplog.messages == []


def test_the_metrics_show_days_left_and_the_last_good_reading(tmp_path: Path) -> None:
    key = generate_key("web", lifetime=timedelta(days=10))
    write_private(tmp_path / "web.key", key)
    (tmp_path / "trust.toml").write_text(trust_entry(key))
    (tmp_path / "trust.toml").chmod(0o644)
    ring = LiveKeyring(f"file:{tmp_path / 'web.key'}", tmp_path / "trust.toml", KeyLog())
    days, since = key_gauges(ring)
    assert days.name == "safecelery_key_expires_days"
    assert days.read() == {
        (key.kid, "web", "own"): pytest.approx(10, abs=0.1), (key.kid, "web", "trusted"): pytest.approx(10, abs=0.1)
    }  # fmt: skip
    assert since.read() == {("trust",): ring.good_since["trust"], ("key",): ring.good_since["key"]}
    assert key_gauges(Keyring(key, TrustStore.empty()))[1].read() == {}
