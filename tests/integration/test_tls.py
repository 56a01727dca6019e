"""Connections prove whom they talk to: chain, name, version; for the broker, each failover member, and results."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest

from safecelery import PolicyViolationError, SafeCelery, SafeCelerySettings, create_app
from safecelery.testing.servers import CertificateAuthority, RabbitServer, RedisServer, free_ports
from tests.integration.endpoint import OTHER_ADDRESS, forwarded, only_tls_1_2
from tests.integration.stage import Identities, let_go

Server = RedisServer | RabbitServer
Connect = Callable[..., None]


@pytest.fixture
def identities(tmp_path: Path) -> Identities:
    keys = Identities(tmp_path)
    keys.add("orders", send=["*"], queues=["*"])
    return keys


@contextlib.contextmanager
def an_app(keys: Identities, broker: dict[str, Any], results: dict[str, Any] | None = None) -> Iterator[SafeCelery]:
    settings = SafeCelerySettings(
        broker=broker, results=results or {}, signing={"key": keys.reference("orders"), "trust_file": keys.trust_file}
    )
    app = create_app("orders", settings, set_as_current=False)
    try:
        yield app
    finally:
        let_go(app)


@pytest.fixture
def connect(identities: Identities) -> Connect:
    """Connect to a broker as the app's producers do; raises what stands in the way."""

    def to_broker(url: str, **options: Any) -> None:
        with an_app(identities, {"url": url, **options}) as app, app.connection_for_write() as connection:
            connection.ensure_connection(
                max_retries=3, interval_start=0, interval_step=0, reraise_as_library_errors=False, timeout=10
            )
            connection.default_channel.queue_declare("tls.connect", auto_delete=True)

    return to_broker


@pytest.fixture
def ping(identities: Identities, broker: Server) -> Connect:
    """Ask the result backend; raises what stands in the way."""

    def results(url: str, **options: Any) -> None:
        good = {"url": broker.url, "ca_file": broker.ca_file}
        with an_app(identities, good, {"url": url, **options}) as app:
            app.backend.client.ping()

    return results


def moved(url: str, host: str, port: int) -> str:
    """The same URL at another address."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@{host}:{port}"))


@pytest.fixture
def other_ca(tmp_private_dir: Path) -> CertificateAuthority:
    return CertificateAuthority.create(tmp_private_dir)


# The broker -------------------------------------------------------------------------------------------------------


def test_the_right_server_is_believed(connect: Connect, broker: Server) -> None:
    connect(broker.url, ca_file=broker.ca_file)


def test_another_authority_is_not(connect: Connect, broker: Server, other_ca: CertificateAuthority) -> None:
    with pytest.raises(Exception, match="certificate verify failed"):
        connect(broker.url, ca_file=other_ca.ca_file)


def test_a_name_that_is_not_in_the_certificate_is_refused(connect: Connect, broker: Server) -> None:
    with forwarded(broker.port) as port, pytest.raises(Exception, match="mismatch"):
        connect(moved(broker.url, OTHER_ADDRESS, port), ca_file=broker.ca_file)


def test_the_systems_authorities_do_not_vouch_for_ours(connect: Connect, broker: Server) -> None:
    with pytest.raises(Exception, match="certificate verify failed"):
        connect(broker.url)


def test_a_version_below_the_floor_is_refused(
    connect: Connect, broker: Server, ca: CertificateAuthority, identities: Identities
) -> None:
    spoken: list[str] = []
    with only_tls_1_2(ca.good, spoken) as port:
        url = moved(broker.url, "localhost", port)
        with pytest.raises(Exception, match=r"(?i)protocol|version|alert"):
            connect(url, ca_file=broker.ca_file, tls_floor="TLSv1.3")
        assert spoken == []
        with pytest.raises(
            Exception, match=r"(?i)closed|reset|EOF|refused|hung|broken"
        ):  # the endpoint hangs up after the handshake
            connect(url, ca_file=broker.ca_file, tls_floor="TLSv1.2")
        assert "TLSv1.2" in spoken


# Failover ---------------------------------------------------------------------------------------------------------


def test_the_second_member_is_used_when_the_first_is_down(connect: Connect, broker: Server) -> None:
    (nobody,) = free_ports(1)
    connect(f"{moved(broker.url, '127.0.0.1', nobody)};{broker.url}", ca_file=broker.ca_file)


def test_each_member_is_checked_against_its_own_name(connect: Connect, broker: Server) -> None:
    """kombu would check the second one against the name of the first."""
    (nobody,) = free_ports(1)
    with forwarded(broker.port) as port:
        urls = f"{moved(broker.url, 'localhost', nobody)};{moved(broker.url, OTHER_ADDRESS, port)}"
        with pytest.raises(Exception, match=r"mismatch|refused"):
            connect(urls, ca_file=broker.ca_file)


def test_an_impostor_as_first_member_is_passed_over(connect: Connect, broker: Server) -> None:
    with forwarded(broker.port) as port:
        connect(f"{moved(broker.url, OTHER_ADDRESS, port)};{broker.url}", ca_file=broker.ca_file)


def test_one_plain_member_spoils_the_list(connect: Connect, broker: Server) -> None:
    plain = broker.url.replace("rediss:", "redis:").replace("amqps:", "amqp:")
    with pytest.raises(PolicyViolationError, match="SFC201") as caught:
        connect(f"{broker.url};{plain}", ca_file=broker.ca_file)
    assert broker.password not in str(caught.value)


# A URL cannot weaken what the settings say ----------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["ssl_cert_reqs=none", "ssl_cert_reqs=CERT_NONE", "ssl_check_hostname=false"])
def test_a_query_does_not_get_an_impostor_in(connect: Connect, broker: Server, query: str) -> None:
    with forwarded(broker.port) as port, pytest.raises(Exception, match=r"SFC20|mismatch"):
        connect(f"{moved(broker.url, OTHER_ADDRESS, port)}?{query}", ca_file=broker.ca_file)


# Impostors with a certificate of their own ----------------------------------------------------------------------------


@pytest.mark.redis
@pytest.mark.parametrize(("kind", "why"), [("self-signed", "self-signed"), ("wrong-host", "mismatch")])
def test_a_redis_impostor_is_refused_as_broker_and_for_results(
    connect: Connect, identities: Identities, redis_server: RedisServer, ca: CertificateAuthority,
    tmp_private_dir: Path, kind: Any, why: str,
) -> None:  # fmt: skip
    with RedisServer(tmp_private_dir, ca, server_cert=kind) as impostor:
        with pytest.raises(Exception, match=why):
            connect(impostor.url, ca_file=ca.ca_file)
        good = {"url": redis_server.url, "ca_file": ca.ca_file}
        with an_app(identities, good, {"url": impostor.url}) as app, pytest.raises(Exception, match=why):
            app.backend.client.ping()


@pytest.mark.redis
def test_redis_with_client_certificates(
    connect: Connect, redis_server: RedisServer, ca: CertificateAuthority, tmp_private_dir: Path
) -> None:
    with RedisServer(tmp_private_dir, ca, require_client_cert=True) as server:
        connect(server.url, ca_file=ca.ca_file, cert_file=ca.client.certificate, key_file=ca.client.key)
        with pytest.raises(Exception, match=r"(?i)alert|reset|closed|EOF|refused|broken"):
            connect(server.url, ca_file=ca.ca_file)


@pytest.mark.rabbitmq
def test_rabbitmq_with_client_certificates_and_an_impostor(
    connect: Connect, rabbitmq_server: RabbitServer, ca: CertificateAuthority, tmp_private_dir: Path
) -> None:
    """One node for both claims, because starting one takes seconds."""
    with RabbitServer(tmp_private_dir, ca, require_client_cert=True) as server:
        certificate = {"cert_file": ca.client.certificate, "key_file": ca.client.key}
        connect(server.url, ca_file=ca.ca_file, **certificate)
        with pytest.raises(Exception, match=r"(?i)alert|reset|closed|EOF|refused|broken"):
            connect(server.url, ca_file=ca.ca_file)
    impostor = RabbitServer(tmp_private_dir, ca, server_cert="self-signed")
    with impostor, pytest.raises(Exception, match="self-signed"):
        connect(impostor.url, ca_file=ca.ca_file)


# Results ----------------------------------------------------------------------------------------------------------


def test_results_take_the_brokers_authority(ping: Connect, redis_server: RedisServer) -> None:
    ping(redis_server.url_for(3))


def test_results_from_another_authority_are_refused(
    ping: Connect, redis_server: RedisServer, other_ca: CertificateAuthority
) -> None:
    with pytest.raises(Exception, match="certificate verify failed"):
        ping(redis_server.url, ca_file=other_ca.ca_file)


def test_results_under_another_name_are_refused(ping: Connect, redis_server: RedisServer) -> None:
    with forwarded(redis_server.port) as port, pytest.raises(Exception, match="mismatch"):
        ping(moved(redis_server.url, OTHER_ADDRESS, port))


@pytest.mark.parametrize("change", [("rediss:", "redis:", "SFC201"), ("/0", "/0?ssl_cert_reqs=none", "SFC202")])
def test_results_without_verification_are_refused(
    ping: Connect, redis_server: RedisServer, change: tuple[str, str, str]
) -> None:
    old, new, rule = change
    with pytest.raises(PolicyViolationError, match=rule):
        ping(redis_server.url.replace(old, new))
