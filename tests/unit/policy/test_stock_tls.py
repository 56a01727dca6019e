"""What stock Celery does with a URL and TLS options: every row of the table of measured behaviour."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from safecelery.policy.facts import ABSENT, UNKNOWN, Place, TransportFacts
from safecelery.policy.stock_tls import certificates_required, masked_url, stock_transport

HERE = Place("shop/settings.py", 3)
CA = {"ssl_ca_certs": "/etc/ca.pem"}


def broker(url: object, use_ssl: object = ABSENT) -> TransportFacts:
    return stock_transport("broker", url, use_ssl, HERE, True)


def results(url: object, use_ssl: object = ABSENT) -> TransportFacts:
    return stock_transport("results", url, use_ssl, HERE, True)


def wire(facts: TransportFacts) -> tuple[object, object, object]:
    return facts.tls, facts.verified, facts.host_checked


@pytest.mark.parametrize(
    ("url", "use_ssl", "expected"),
    [
        ("redis://h", ABSENT, (False, False, False)),
        ("rediss://h", ABSENT, (True, False, False)),
        ("rediss://h", None, (True, False, False)),
        ("rediss://h", False, (True, False, False)),
        ("rediss://h", {}, (True, False, False)),
        ("redis://h", {}, (False, False, False)),
        ("redis://h", True, (False, False, False)),
        ("rediss://h", True, (False, False, False)),  # True cannot be merged, and TLS goes with it
        ("redis://h", CA, (True, True, True)),
        ("rediss://h", CA, (True, True, True)),
        ("rediss://h", {**CA, "ssl_cert_reqs": ssl.CERT_REQUIRED}, (True, True, True)),
        ("rediss://h", {"ssl_cert_reqs": ssl.CERT_OPTIONAL}, (True, True, True)),
        ("rediss://h", {"ssl_cert_reqs": ssl.CERT_NONE}, (True, False, False)),
        ("rediss://h", {"ssl_cert_reqs": "ssl.CERT_NONE"}, (True, False, False)),
        ("rediss://h", {"ssl_cert_reqs": None}, (True, False, False)),
        ("rediss://h", {**CA, "ssl_check_hostname": False}, (True, True, False)),
        ("rediss://h?ssl_cert_reqs=none", CA, (True, False, False)),  # the URL replaces the options
        ("rediss://h?ssl_cert_reqs=CERT_REQUIRED", True, (True, True, True)),
        ("redis://h?ssl_cert_reqs=required", ABSENT, (True, True, True)),
        ("rediss://h?ssl_check_hostname=false", ABSENT, (True, True, False)),
        ("sentinel://h", ABSENT, (False, False, False)),
        ("sentinel://h", CA, (True, True, True)),
        ("amqp://h", ABSENT, (False, False, False)),
        ("amqp://h", {}, (False, False, False)),
        ("amqp://h", True, (True, True, False)),
        ("pyamqp://h", True, (True, True, False)),
        ("amqps://h", ABSENT, (True, True, False)),
        ("amqps://h", {}, (True, True, False)),
        ("amqps://h", False, (True, True, False)),
        ("amqp://h", {"ca_certs": "/ca", "cert_reqs": ssl.CERT_REQUIRED}, (True, True, False)),
        ("amqps://h", {"cert_reqs": ssl.CERT_NONE}, (True, False, False)),
        ("amqps://h", {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": "h"}, (True, True, True)),
        ("amqps://h", {"cert_reqs": 2, "server_hostname": None}, (True, True, True)),
        ("amqps://h", {"ssl_version": int(ssl.PROTOCOL_TLS)}, (True, False, False)),
        ("amqps://h", {"ssl_version": "ssl.PROTOCOL_TLS_CLIENT"}, (True, True, False)),
        ("amqps://h", {"context": {"cafile": "/ca"}}, (True, True, False)),
        ("amqps://h", {"context": {"cafile": "/ca", "check_hostname": True}}, (True, True, True)),
        ("amqps://h", {"context": {}}, (True, True, False)),
    ],
)
def test_a_broker_is_as_safe_as_the_libraries_make_it(
    url: str, use_ssl: object, expected: tuple[bool, bool, bool]
) -> None:
    assert wire(broker(url, use_ssl)) == expected


@pytest.mark.parametrize(
    ("url", "use_ssl", "expected"),
    [
        ("redis://h", ABSENT, (False, False, False)),
        ("redis://h", {"ssl_cert_reqs": "required"}, (True, True, True)),
        ("rediss://h", {"ssl_cert_reqs": ssl.CERT_REQUIRED}, (True, True, True)),
        ("rediss://h?ssl_cert_reqs=none", ABSENT, (True, False, False)),
        ("rediss://h?ssl_cert_reqs=required", ABSENT, (True, True, True)),
        ("rediss://h?ssl_cert_reqs=none", {"ssl_cert_reqs": "required"}, (True, False, False)),
        ("rediss://h", ABSENT, (True, UNKNOWN, UNKNOWN)),  # ValueError: nothing is sent
        ("rediss://h", CA, (True, UNKNOWN, UNKNOWN)),
        ("redis://h", True, (UNKNOWN, UNKNOWN, UNKNOWN)),  # TypeError
        ("db+postgresql://h/d", ABSENT, (False, False, False)),
        ("db+postgresql+psycopg2://h/d?sslmode=require", ABSENT, (True, False, False)),
        ("db+postgresql://h/d?sslmode=verify-full", ABSENT, (True, True, True)),
        ("db+mysql://h/d", ABSENT, (UNKNOWN, UNKNOWN, UNKNOWN)),
        ("elasticsearch+http://h", ABSENT, (False, False, False)),
        ("django-db", ABSENT, (UNKNOWN, UNKNOWN, UNKNOWN)),
    ],
)
def test_a_result_backend_is_as_safe_as_the_libraries_make_it(
    url: str, use_ssl: object, expected: tuple[object, object, object]
) -> None:
    assert wire(results(url, use_ssl)) == expected


@pytest.mark.parametrize(("url", "use_ssl"), [("redis://h", False), ("redis://h", True), ("redis://h", {}),
                                              ("rediss://h", None), ("rediss://h", True), ("rediss://h", {}),
                                              ("rediss://h", CA), ("redis://h", CA),
                                              ("rediss://h?ssl_cert_reqs=none", CA),
                                              ("redis://h?ssl_cert_reqs=required", True)])  # fmt: skip
def test_the_table_agrees_with_the_installed_redis_transport(url: str, use_ssl: Any) -> None:
    from kombu import Connection
    from kombu.transport.redis import Channel
    from redis import SSLConnection

    class Transport:
        client = Connection(url, ssl=use_ssl)
        default_port = 6379

    class Bare(Channel):
        def __init__(self) -> None:
            self.connection = Transport()

        def __del__(self) -> None:
            pass

    parameters = Bare()._connparams()
    connection = issubclass(parameters["connection_class"], SSLConnection)
    facts = broker(url, use_ssl)
    assert facts.tls is connection
    if connection:
        built = SSLConnection(**{name: value for name, value in parameters.items() if name.startswith("ssl_")})
        assert facts.verified is (built.cert_reqs != ssl.CERT_NONE)
        assert facts.host_checked is bool(built.check_hostname)


@pytest.mark.parametrize("url", ["rediss://h", "amqps://h"])
def test_unreadable_options_leave_open_what_they_decide(url: str) -> None:
    assert wire(broker(url, UNKNOWN))[1:] == (UNKNOWN, UNKNOWN)
    name = "ssl_cert_reqs" if url.startswith("redis") else "cert_reqs"
    assert wire(broker(url, {name: UNKNOWN, "server_hostname": "h"})) == (True, UNKNOWN, UNKNOWN)


def test_an_unreadable_url_is_unknown_in_everything() -> None:
    facts = broker(UNKNOWN, CA)
    assert (facts.scheme, facts.tls, facts.verified, facts.local, facts.password) == (UNKNOWN,) * 5


@pytest.mark.parametrize("url", ["memory://", "filesystem://", "redis+socket:///run/redis.sock", "socket:///run/r"])
def test_what_does_not_leave_the_host_is_local(url: str) -> None:
    assert broker(url).local is True


@pytest.mark.parametrize(
    ("url", "password"),
    [
        ("redis://h", "none"),
        ("redis://:s3cret@h", "set"),
        ("redis://shop:shop@h", "default"),
        ("redis://:password@h", "default"),
        ("amqp://h", "default"),
        ("amqp://guest:guest@h", "default"),
        ("amqp://guest@h", "default"),
        ("amqp://shop:@h", "none"),
        ("amqp://shop:s3cret@h", "set"),
        ("sqs://", UNKNOWN),
    ],
)
def test_passwords_are_judged(url: str, password: object) -> None:
    assert broker(url).password == password


@pytest.mark.parametrize(("value", "floor"), [(ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
                                              ("ssl.TLSVersion.TLSv1_3", "TLSv1.3"),
                                              (None, None), (True, UNKNOWN), ("soon", UNKNOWN)])  # fmt: skip
def test_the_floor_is_read_in_every_spelling(value: object, floor: object) -> None:
    assert broker("amqps://h", {"tls_minimum_version": value}).tls_floor == floor
    assert broker("rediss://h", {"ssl_min_version": value}).tls_floor == floor


@pytest.mark.parametrize("value", [True, 3, -1, 10**4000, "maybe", [], object()])
def test_odd_requirements_are_unknown(value: object) -> None:
    assert certificates_required(value) is UNKNOWN


@pytest.mark.parametrize(
    "url",
    [
        "redis://shop:s3cret@h/0",
        "redis://:s3cret@h",
        "redis://:p@s3cret@h",
        "redis://:a?s3cret@h/0",
        "redis://:a/s3cret@h/0",
        "sqs://AKIA:s3cret@",
        "sqs://s3cret:x@",
        "azureservicebus://policy:s3cret@space",
        "azureblockblob://AccountKey=s3cret",
        "mongodb://h/?password=s3cret",
        "amqp://a:b@h;amqp://a:s3cret@h2",
        "DefaultEndpointsProtocol=https;AccountKey=s3cret",
    ],
)
def test_no_secret_is_ever_shown(url: str) -> None:
    assert "s3cret" not in masked_url(url)
    assert "s3cret" not in str(broker(url))


@pytest.mark.parametrize("url", ["", ":", "://", "redis://[::1", "redis://h:port", "@", "a" * 9999, "redis://é\n@", 7,
                                 b"redis://h", None, ABSENT, [], object()])  # fmt: skip
@pytest.mark.parametrize("use_ssl", [ABSENT, UNKNOWN, True, {}, {1: 2}, {"context": 7}, [1], "yes", object()])
def test_any_value_gives_facts(url: object, use_ssl: object) -> None:
    assert isinstance(broker(url, use_ssl), TransportFacts)
    assert isinstance(results(url, use_ssl), TransportFacts)
