"""Where the ledger is kept if nobody says so, that its connection keeps to the policy, and how it is turned off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safecelery import PolicyViolationError, SafeCelerySettings, SettingsError
from safecelery.runtime.development import development_settings
from safecelery.runtime.ledger import StorePlace, approved_place, open_ledger
from safecelery.settings import LEDGER_OFF
from tests.unit.apps import BROKER, PASSWORD, an_app

RABBIT = f"amqps://orders:{PASSWORD}@rabbit.example:5671/orders"
RESULTS = f"rediss://orders:{PASSWORD}@redis.example:6379/1"
PG = f"postgresql+psycopg://orders:{PASSWORD}@db.example/orders"


def place_of(directory: Path, **changes: Any) -> StorePlace | None:
    return approved_place(an_app(directory, **changes))


def rabbit(directory: Path) -> dict[str, Any]:
    return {"broker": {"url": RABBIT, "ca_file": directory / "ca.pem"}}


def test_a_broker_that_is_a_redis_keeps_it_too(tmp_path: Path) -> None:
    place = place_of(tmp_path)
    assert place is not None
    assert place.url == BROKER
    assert place.tls["ssl_check_hostname"] is True
    assert place.tls["ssl_ca_certs"] == str(tmp_path / "ca.pem")
    assert PASSWORD not in repr(place)


def test_beside_rabbitmq_it_is_the_results_redis(tmp_path: Path) -> None:
    place = place_of(tmp_path, results={"url": RESULTS}, **rabbit(tmp_path))
    assert place is not None
    assert place.url == RESULTS
    assert place.tls["ssl_check_hostname"] is True


def test_with_neither_a_worker_is_told_which_setting_to_set(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ledger\.url.*SAFECELERY_LEDGER__URL"):
        place_of(tmp_path, **rabbit(tmp_path))


def test_with_several_brokers_it_is_not_guessed(tmp_path: Path) -> None:
    second = BROKER.replace("redis.example", "other.example")
    with pytest.raises(SettingsError, match="2 brokers"):
        place_of(tmp_path, broker={"url": f"{BROKER};{second}", "ca_file": tmp_path / "ca.pem"})


def test_a_stated_url_wins_and_takes_the_brokers_tls_files(tmp_path: Path) -> None:
    place = place_of(tmp_path, ledger={"url": RESULTS})
    assert place is not None
    assert place.url == RESULTS
    assert place.tls["ssl_ca_certs"] == str(tmp_path / "ca.pem")


def test_it_may_have_files_of_its_own(tmp_path: Path) -> None:
    place = place_of(tmp_path, ledger={"url": RESULTS, "ca_file": tmp_path / "own.pem"})
    assert place is not None
    assert place.tls["ssl_ca_certs"] == str(tmp_path / "own.pem")


@pytest.mark.parametrize(
    "url",
    [
        "redis://orders:correct-horse-battery@redis.example/0",
        "rediss://redis.example/0",
        "rediss://orders:correct-horse-battery@redis.example/0?ssl_cert_reqs=none",
        PG,
        f"{PG}?sslmode=require",
        f"{PG}?sslmode=verify-ca",
        f"{PG}?sslmode=verify-full&ssl_min_protocol_version=TLSv1",
    ],
)
def test_a_connection_that_breaks_the_policy_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(PolicyViolationError):
        place_of(tmp_path, ledger={"url": url})


@pytest.mark.parametrize(
    "url", [f"{PG}?sslmode=verify-full", "sqlite:////var/lib/orders/ledger.db", "redis+socket:///run/redis.sock"]
)
def test_a_connection_that_keeps_it_is_not(tmp_path: Path, url: str) -> None:
    place = place_of(tmp_path, ledger={"url": url})
    assert place is not None
    assert place.url == url


def test_no_password_for_postgresql_is_refused_unless_libpq_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.delenv("PGPASSFILE", raising=False)
    url = "postgresql+psycopg://orders@db.example/orders?sslmode=verify-full"
    with pytest.raises(PolicyViolationError, match="password"):
        place_of(tmp_path, ledger={"url": url})
    (tmp_path / ".pgpass").touch()
    assert place_of(tmp_path, ledger={"url": url}) is not None


def test_an_unknown_scheme_is_refused(tmp_path: Path) -> None:
    app = an_app(tmp_path, ledger={"url": "mongodb://x/y"})
    with pytest.raises(SettingsError, match="no store for scheme 'mongodb'"):
        open_ledger(app)


def test_off_is_an_ugly_word_and_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert place_of(tmp_path, ledger={"url": LEDGER_OFF}) is None
    assert open_ledger(an_app(tmp_path, ledger={"url": LEDGER_OFF})) is None
    assert caplog.text.count("the delivery ledger is OFF") == 2


def test_the_memory_broker_has_a_memory_ledger(tmp_path: Path) -> None:
    store = open_ledger(an_app(tmp_path, memory=True, profile="development"))
    assert store is not None
    store.ping()
    store.close()


def test_a_lease_must_be_long_enough_to_be_renewed(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ledger\.lease"):
        place_of(tmp_path, ledger={"lease": 1})


@pytest.mark.parametrize(
    ("broker", "needs"), [("amqp://guest:guest@localhost//", True), ("redis://localhost/0", False)]
)
def test_in_development_a_broker_without_a_place_gets_one(
    tmp_path: Path, broker: str, needs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safecelery.brokers.embedded import EmbeddedRedis

    monkeypatch.setattr(EmbeddedRedis, "ensure", lambda self: True)
    settings = SafeCelerySettings(profile="development", broker={"url": broker}, state_dir=tmp_path / "state")
    made = development_settings("shop", settings)
    assert (made.ledger.url is not None) is needs
