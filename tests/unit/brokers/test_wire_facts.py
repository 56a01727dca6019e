"""What a URL and its TLS options really do: the measured table, one row each."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
from kombu import Connection

from safecelery.brokers import BROKERS, Tls, broker_for, mask
from safecelery.brokers.connection import SafeConnection
from safecelery.errors import SettingsError
from safecelery.policy.facts import UNKNOWN
from safecelery.policy.profile import load_policy

CA = "/etc/ca.pem"
REDIS_FULL = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": CA, "ssl_check_hostname": True}
AMQP_FULL = {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": CA, "server_hostname": "rabbit.example"}

#: URL, broker_use_ssl, then: encrypted, chain verified, host name checked. Measured against servers with a self-signed
#: certificate, and with the right authority but a wrong name.
ROWS: list[tuple[str, Any, bool, bool, bool]] = [
    ("redis://h/0", None, False, False, False),
    ("redis://h/0", True, False, False, False),
    ("redis://h/0", {}, False, False, False),
    ("rediss://h/0", None, True, False, False),
    ("rediss://h/0", False, True, False, False),
    ("rediss://h/0", True, False, False, False),
    ("rediss://h/0", {}, False, False, False),
    ("rediss://h/0", {"ssl_cert_reqs": ssl.CERT_NONE}, True, False, False),
    ("rediss://h/0", {"ssl_cert_reqs": ssl.CERT_OPTIONAL, "ssl_check_hostname": True}, True, False, True),
    ("rediss://h/0", {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": CA}, True, True, False),
    ("rediss://h/0", {"ssl_cert_reqs": "required", "ssl_check_hostname": True}, True, True, True),
    ("rediss://h/0", REDIS_FULL, True, True, True),
    ("redis://h/0", REDIS_FULL, True, True, True),
    ("rediss://h/0?ssl_cert_reqs=none", REDIS_FULL, True, False, False),
    ("rediss://h/0?ssl_check_hostname=false", REDIS_FULL, True, False, False),
    ("amqp://h//", None, False, False, False),
    ("amqp://h//", {}, False, False, False),
    ("amqps://h//", None, True, True, False),
    ("amqps://h//", {}, True, True, False),
    ("amqp://h//", True, True, True, False),
    ("amqps://h//", {"ca_certs": CA, "cert_reqs": ssl.CERT_REQUIRED}, True, True, False),
    ("amqps://h//", {"cert_reqs": ssl.CERT_NONE}, True, False, False),
    ("amqps://h//", {"cert_reqs": ssl.CERT_OPTIONAL}, True, False, False),
    ("amqps://h//", AMQP_FULL, True, True, True),
    ("amqps://h//", {**AMQP_FULL, "server_hostname": None}, True, True, True),
    ("amqps://h//", {"context": {"cafile": CA}}, True, True, False),
    ("amqps://h//", {"context": {"cafile": CA, "check_hostname": True}}, True, True, True),
    ("amqps://h//", {"context": {}}, True, True, False),
]


@pytest.mark.parametrize(("url", "options", "tls", "verified", "host"), ROWS)
def test_a_row_of_the_measured_table(url: str, options: Any, tls: bool, verified: bool, host: bool) -> None:
    wire = broker_for(url).wire(url, options)
    assert (wire.tls, wire.verified, wire.host_checked) == (tls, verified, host)
    assert wire.local is False


@pytest.mark.parametrize(
    ("url", "option"), [("rediss://h/0", "ssl_min_version"), ("amqps://h//", "tls_minimum_version")]
)
def test_the_floor_is_what_was_set_or_unknown(url: str, option: str) -> None:
    wire = broker_for(url).wire
    assert wire(url, {option: ssl.TLSVersion.TLSv1_3}).tls_floor == "TLSv1.3"
    assert wire(url, {option: ssl.TLSVersion.TLSv1_2}).tls_floor == "TLSv1.2"
    assert wire(url, {option: "TLSv1.3"}).tls_floor is UNKNOWN
    assert wire(url, None).tls_floor is UNKNOWN
    assert wire(url.replace("s://", "://"), None).tls_floor is None


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("rediss://h/0", "none"),
        ("rediss://user@h/0", "none"),
        ("rediss://:@h/0", "none"),
        ("rediss://default:redis@h/0", "default"),
        ("rediss://orders:orders@h/0", "default"),
        ("rediss://:changeme@h/0", "default"),
        ("rediss://:a-real-one@h/0", "set"),
        ("amqps://h//", "default"),
        ("amqps://guest@h//", "default"),
        ("amqps://guest:guest@h//", "default"),
        ("amqps://orders:orders@h//", "default"),
        ("amqps://orders:@h//", "none"),
        ("amqps://orders:a-real-one@h//", "set"),
    ],
)
def test_the_password(url: str, password: str) -> None:
    assert broker_for(url).wire(url, None).password == password


@pytest.mark.parametrize("url", ["redis+socket:///run/redis.sock", "redis+socket:///run/redis.sock?virtual_host=1"])
def test_a_unix_socket_is_local(url: str) -> None:
    assert broker_for(url).wire(url, None).local is True


@pytest.mark.parametrize("url", ["redis+websocket://h/0", "redis+xsocket://h/0", "rediss+socket://h/0"])
def test_what_only_sounds_like_a_socket_is_not_local(url: str) -> None:
    assert broker_for(url).wire(url, None).local is False


def test_the_memory_broker_is_local() -> None:
    wire = broker_for("memory://").wire("memory://", None)
    assert wire.local is True
    assert wire.tls is False
    assert broker_for("memory://").ssl_options(Tls()) == {}


@pytest.mark.parametrize("broker", [b for b in BROKERS if b.name != "memory"], ids=lambda b: b.name)
@pytest.mark.parametrize("floor", ["TLSv1.2", "TLSv1.3"])
def test_the_options_that_the_factory_sets_keep_every_rule(broker: Any, floor: str, tmp_path: Any) -> None:
    tls = Tls(tmp_path / "ca.pem", tmp_path / "c.pem", None, floor)
    scheme = {"redis": "rediss", "rabbitmq": "amqps"}[broker.name]
    wire = broker.wire(f"{scheme}://orders:a-real-one@h/0", broker.ssl_options(tls))
    assert (wire.tls, wire.verified, wire.host_checked, wire.tls_floor) == (True, True, True, floor)
    assert str(tmp_path / "c.pem") in broker.ssl_options(tls).values()


def test_a_task_at_its_limit_is_not_handed_out_twice() -> None:
    limits = load_policy("baseline").limits
    settings = broker_for("rediss://h").settings(limits)
    assert settings["broker_transport_options"]["visibility_timeout"] > 2 * limits.max_time_limit_s


@pytest.mark.parametrize("url", ["", "h:6379", "sqs://x", "REDIS://h", "redis-tls://h", "://"])
def test_a_scheme_that_is_not_in_the_table_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="is not supported; use one of"):
        broker_for(url)


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("rediss://orders:s3cret@h:6379/0?ssl_keyfile=x", "rediss://orders:**@h:6379/0"),
        ("rediss://:s3cret@h/0", "rediss://:**@h/0"),
        ("amqps://orders@h//", "amqps://orders@h//"),
        ("redis://h/0", "redis://h/0"),
    ],
)
def test_a_masked_url_has_no_password(url: str, masked: str) -> None:
    assert "s3cret" not in mask(url)
    assert mask(url) == masked


def test_tls_files_of_one_connection_belong_together(tmp_path: Any) -> None:
    broker = Tls(tmp_path / "ca", tmp_path / "c", tmp_path / "k")
    assert Tls().or_else(broker) == broker
    own = Tls(tmp_path / "other", tmp_path / "d", None)
    assert own.or_else(broker) == own


# Connections ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["rediss://h/0?ssl_cert_reqs=none", "amqps://h//?ssl=false", "rediss://h/0"])
def test_a_url_cannot_decide_about_tls(url: str) -> None:
    for given in (REDIS_FULL, AMQP_FULL):
        assert SafeConnection(url, ssl=given).ssl == given


def test_a_failover_keeps_the_tls_options() -> None:
    connection = SafeConnection("rediss://one/0;rediss://two/0?ssl_cert_reqs=none", ssl=REDIS_FULL)
    connection.maybe_switch_next()
    assert connection.hostname == "two"
    assert connection.ssl == REDIS_FULL


@pytest.mark.parametrize("url", ["rediss://h/0", "amqps://h//", "memory://"])
def test_connections_use_our_transports(url: str) -> None:
    assert SafeConnection(url).get_transport_cls().__module__.startswith("safecelery.")


def test_a_transport_that_is_not_in_the_table_cannot_be_named() -> None:
    with pytest.raises(KeyError, match="no transport"):
        SafeConnection("memory://", transport="filesystem").get_transport_cls()


def test_kombus_pools_never_mix_ours_with_plain_ones() -> None:
    assert hash(SafeConnection("memory://").__eqhash__()) != hash(Connection("memory://").__eqhash__())


def test_tls_off_stays_off_where_the_policy_allowed_it() -> None:
    """kombu's SSL transport would turn it into TLS with defaults."""
    connection = SafeConnection("amqp://h//", ssl=False)
    _ = connection.transport
    assert connection.ssl is False
