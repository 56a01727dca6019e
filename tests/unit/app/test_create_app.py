"""create_app refuses what breaks the policy, and says what, where, why and how to mend it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safecelery import PolicyViolationError, SettingsError, create_app
from safecelery.errors import KeyringError, PolicyFileError
from tests.unit.apps import BROKER, PASSWORD, an_app, keys_in, settings_in

SECRET = "correct-horse"


def broken(directory: Path, **changes: Any) -> str:
    with pytest.raises(PolicyViolationError) as caught:
        an_app(directory, **changes)
    text = str(caught.value)
    assert "fix: " in text
    assert PASSWORD not in text
    return text


def test_settings_that_keep_the_policy_make_an_app(tmp_path: Path) -> None:
    app = an_app(tmp_path)
    assert app.conf.task_serializer == "json"
    assert app.conf.task_acks_late is True
    assert app.conf.worker_pool == "prefork"


@pytest.mark.parametrize(
    ("url", "rules"),
    [
        ("redis://orders:correct-horse-battery@redis.example/0", ["SFC201", "SFC202", "SFC203"]),
        ("amqp://orders:correct-horse-battery@rabbit.example/orders", ["SFC201", "SFC202", "SFC203"]),
        ("rediss://redis.example/0", ["SFC205"]),
        ("rediss://orders:orders@redis.example/0", ["SFC205"]),
        ("amqps://rabbit.example/orders", ["SFC205"]),
        ("amqps://guest:guest@rabbit.example/orders", ["SFC205"]),
        (f"{BROKER}?ssl_cert_reqs=none", ["SFC202", "SFC203"]),
        (f"{BROKER};redis://orders:correct-horse-battery@replica.example/0", ["SFC201"]),
    ],
)
def test_a_broker_that_production_refuses(tmp_path: Path, url: str, rules: list[str]) -> None:
    text = broken(tmp_path, broker={"url": url, "ca_file": tmp_path / "ca.pem"})
    assert [rule for rule in rules if rule not in text] == []


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("redis://orders:correct-horse-battery@redis.example/1", "SFC201"),
        ("rediss://redis.example/1", "SFC205"),
        ("db+postgresql://orders:correct-horse-battery@db.example/orders", "SFC201"),
        ("db+postgresql://orders:correct-horse-battery@db.example/orders?sslmode=verify-ca", "SFC203"),
        ("db+postgresql://orders@db.example/orders?sslmode=verify-full", "SFC205"),
        ("db+postgresql+pg8000://orders:correct-horse-battery@db.example/orders?sslmode=verify-full", "unknown"),
        ("db+mysql://orders:correct-horse-battery@db.example/orders?ssl_ca=ca.pem", "unknown"),
    ],
)
def test_a_result_backend_that_production_refuses(
    tmp_path: Path, url: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_libpq_settings(monkeypatch, tmp_path)
    assert rule in broken(tmp_path, results={"url": url})


def without_libpq_settings(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("HOME", str(home))
    for name in ("PGPASSWORD", "PGPASSFILE", "PGSSLMODE"):
        monkeypatch.delenv(name, raising=False)


VERIFIED = "db+postgresql+psycopg://orders:correct-horse-battery@db.example/orders?sslmode=verify-full"


@pytest.mark.parametrize("url", [VERIFIED, "db+postgresql://orders:correct-horse-battery@/orders?host=/run/postgresql"])
def test_results_in_a_postgresql_that_is_verified_or_on_this_host(tmp_path: Path, url: str) -> None:
    an_app(tmp_path, results={"url": url})


def test_what_the_engine_is_told_wins_over_the_url_as_it_does_in_sqlalchemy(tmp_path: Path) -> None:
    app = an_app(tmp_path, results={"url": VERIFIED})
    app.conf.database_engine_options = {"connect_args": {"sslmode": "prefer"}}
    with pytest.raises(PolicyViolationError, match="SFC201"):
        app.guard.enforce_configuration()


def test_a_missing_key_is_a_violation_that_names_the_command(tmp_path: Path) -> None:
    text = broken(tmp_path, signing={})
    assert "SFC301" in text
    assert "safecelery keys generate" in text


def test_a_producer_needs_no_trust_file(tmp_path: Path) -> None:
    an_app(tmp_path, signing={"key": keys_in(tmp_path)["key"]})


def test_the_development_profile_allows_plain_text(tmp_path: Path) -> None:
    an_app(tmp_path, profile="development", broker={"url": "redis://localhost/0"}, state_dir=tmp_path)


def test_the_policys_floor_binds(tmp_path: Path) -> None:
    assert "SFC204" in broken(tmp_path, policy="strict")
    an_app(tmp_path, policy="strict", broker={"url": BROKER, "ca_file": "ca.pem", "tls_floor": "TLSv1.3"})


@pytest.mark.parametrize("url", ["sqs://x:y@", "zookeeper://h", "filesystem://", "nonsense", "sentinel://h"])
def test_a_broker_of_an_unknown_kind_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingsError, match="not supported; use one of"):
        an_app(tmp_path, broker={"url": url})


def test_brokers_of_two_kinds_in_one_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="members of one kind"):
        an_app(tmp_path, broker={"url": f"{BROKER};amqps://a:correct-horse@b/c"})


def test_a_policy_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match="baselin"):
        an_app(tmp_path, policy="baselin")


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    signing = keys_in(tmp_path)
    Path(signing["key"].removeprefix("file:")).chmod(0o644)
    with pytest.raises(KeyringError, match=r"orders\.key"):
        an_app(tmp_path, signing=signing)


def test_the_broker_may_be_configured_later_but_not_badly(tmp_path: Path) -> None:
    """As with config_from_object: the first connection looks."""
    app = create_app("later", settings_in(tmp_path, broker={}), set_as_current=False)
    app.config_from_object({"broker_url": "redis://plain.example/0"})
    with pytest.raises(PolicyViolationError, match="SFC201"):
        app.connection_for_write()


def test_without_any_broker_celerys_default_is_not_used(tmp_path: Path) -> None:
    app = create_app("none", settings_in(tmp_path, broker={}), set_as_current=False)
    with pytest.raises((PolicyViolationError, SettingsError), match=r"broker|SFC"):
        app.connection_for_write()


def test_tls_options_follow_the_settings(tmp_path: Path) -> None:
    certificate = {"cert_file": tmp_path / "c.pem", "key_file": tmp_path / "c.key"}
    app = an_app(
        tmp_path, broker={"url": BROKER, "ca_file": tmp_path / "ca.pem", **certificate}, results={"url": BROKER}
    )
    for options in (app.conf.broker_use_ssl, app.conf.redis_backend_use_ssl):
        assert options["ssl_ca_certs"] == str(tmp_path / "ca.pem")
        assert options["ssl_certfile"] == str(tmp_path / "c.pem")
        assert options["ssl_keyfile"] == str(tmp_path / "c.key")
        assert options["ssl_check_hostname"] is True
