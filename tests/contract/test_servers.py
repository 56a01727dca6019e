"""The test servers are what they claim: proved with real connections before anything relies on them."""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis
from kombu import Connection, Exchange, Queue

from safecelery.testing.servers import (
    CertificateAuthority,
    PostgresServer,
    RabbitServer,
    RedisServer,
    ServerCertificate,
)

Server = RedisServer | RabbitServer
HUNG_UP = re.compile("EOF|reset by peer|Broken pipe|closed|alert")  # how a server's refusal looks depends on timing
UNVERIFIED_REDIS = {"ssl_cert_reqs": ssl.CERT_NONE, "ssl_check_hostname": False}


def connect(url: str, options: dict[str, Any] | None) -> None:
    """Log in and do one harmless thing; raises whatever stands in the way."""
    with Connection(url, ssl=options or False, connect_timeout=30) as attempt:
        attempt.ensure_connection(max_retries=1, interval_start=0, interval_step=0, reraise_as_library_errors=False)
        attempt.default_channel.queue_declare("test-servers.connect", auto_delete=True)


def refusal(url: str, options: dict[str, Any] | None) -> str:
    """The error with which the server, or the check of its certificate, refuses."""
    with pytest.raises(Exception) as caught:
        connect(url, options)
    return f"{type(caught.value).__name__}: {caught.value}"


def with_login(url: str, login: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"{login}{parts.hostname}:{parts.port}"))


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture
def other_ca(tmp_private_dir: Path) -> CertificateAuthority:
    return CertificateAuthority.create(tmp_private_dir)


def test_a_verified_connection_carries_a_message(broker: Server) -> None:
    queue = Queue("test-servers.hello", Exchange("test-servers"), routing_key="hello", auto_delete=True)
    with Connection(broker.url, ssl=broker.broker_ssl) as connection, connection.SimpleQueue(queue) as simple:
        simple.put({"hello": 1})
        message = simple.get(timeout=30)
        message.ack()
        assert message.payload == {"hello": 1}


def test_plain_text_is_refused(broker: Server) -> None:
    plain = broker.url.replace("rediss://", "redis://").replace("amqps://", "amqp://")
    assert HUNG_UP.search(refusal(plain, None))


@pytest.mark.parametrize("login", ["", "default:@", "guest:guest@", "orders:wrong@"])
def test_no_other_login_is_let_in(broker: Server, login: str) -> None:
    error = refusal(with_login(broker.url, login), broker.broker_ssl)
    assert error.startswith(("AuthenticationError: ", "AccessRefused: "))


def test_an_unknown_authority_is_refused(broker: Server, other_ca: CertificateAuthority) -> None:
    assert broker.broker_ssl is not None
    renamed = {name: str(other_ca.ca_file) for name in broker.broker_ssl if name.endswith("ca_certs")}
    assert "certificate verify failed" in refusal(broker.url, broker.broker_ssl | renamed)


@pytest.mark.redis
@pytest.mark.parametrize(
    ("kind", "why"), [("self-signed", "self-signed certificate"), ("wrong-host", "Hostname mismatch")]
)
def test_a_redis_impostor_is_refused(
    tmp_private_dir: Path, ca: CertificateAuthority, redis_server: Server, kind: ServerCertificate, why: str
) -> None:
    with RedisServer(tmp_private_dir, ca, server_cert=kind) as impostor:
        assert impostor.broker_ssl is not None
        assert why in refusal(impostor.url, impostor.broker_ssl)
        connect(impostor.url, impostor.broker_ssl | UNVERIFIED_REDIS)  # nothing but verification stood in the way


@pytest.mark.redis
def test_redis_asks_for_a_client_certificate_when_told_to(
    tmp_private_dir: Path, ca: CertificateAuthority, redis_server: Server
) -> None:
    with RedisServer(tmp_private_dir, ca, require_client_cert=True) as server:
        connect(server.url, server.broker_ssl)
        assert HUNG_UP.search(refusal(server.url, redis_server.broker_ssl))


@pytest.mark.redis
def test_the_redis_account_cannot_do_dangerous_things(redis_server: RedisServer) -> None:
    client = redis.Redis.from_url(redis_server.url, **redis_server.broker_ssl or {})
    with client, pytest.raises(redis.exceptions.NoPermissionError):
        client.config_get("*")


@pytest.mark.redis
def test_redis_leaves_nothing_behind(tmp_private_dir: Path, ca: CertificateAuthority, redis_server: Server) -> None:
    with RedisServer(tmp_private_dir, ca) as server:
        pids = server.pids
        assert not any(gone(pid) for pid in pids)
    assert all(gone(pid) for pid in pids)
    assert list(tmp_private_dir.iterdir()) == []


def test_a_postgresql_is_reached_verified_and_not_otherwise(
    ca: CertificateAuthority, other_ca: CertificateAuthority, postgresql_server: PostgresServer
) -> None:
    with PostgresServer(ca) as server:
        pids, home, url = server.pids, server.home, server.url.replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone() == (True,)
        for other, why in (
            (url.replace("verify-full", "disable"), "no encryption"),
            (url.replace(server.password, "wrong"), "authentication failed"),
            (url.replace(str(ca.ca_file), str(other_ca.ca_file)), "certificate verify failed"),
        ):
            with pytest.raises(psycopg.OperationalError, match=why):
                psycopg.connect(other)
    assert all(gone(pid) for pid in pids)
    assert not home.exists()


def test_a_postgresql_of_another_name_is_refused(ca: CertificateAuthority, postgresql_server: PostgresServer) -> None:
    with PostgresServer(ca, server_cert="wrong-host") as impostor:
        url = impostor.url.replace("+psycopg", "")
        with pytest.raises(psycopg.OperationalError, match="does not match host name"):
            psycopg.connect(url)
        psycopg.connect(url.replace("verify-full", "verify-ca")).close()


@pytest.mark.redis
def test_a_redis_socket_is_reachable_by_its_owner_only(tmp_private_dir: Path, redis_server: Server) -> None:
    with RedisServer(tmp_private_dir, unix_socket=True) as server:
        connect(server.url, None)
        connect(server.url_for(3), None)
        assert server.socket is not None
        assert server.socket.parent.stat().st_mode & 0o077 == 0


@pytest.mark.rabbitmq
def test_a_rabbitmq_with_another_name_is_refused(rabbitmq_server: RabbitServer) -> None:
    elsewhere = rabbitmq_server.broker_ssl | {"server_hostname": "wrong-host.invalid"}
    assert "Hostname mismatch" in refusal(rabbitmq_server.url, elsewhere)


@pytest.mark.rabbitmq
def test_rabbitmq_has_quorum_queues_one_user_and_one_vhost(rabbitmq_server: RabbitServer) -> None:
    assert rabbitmq_server.ctl("list_users", "--no-table-headers").split() == ["orders", "[]"]
    assert rabbitmq_server.ctl("list_vhosts", "--no-table-headers").split() == ["orders"]
    queue = Queue("test-servers.quorum", queue_arguments={"x-queue-type": "quorum"})
    with Connection(rabbitmq_server.url, ssl=rabbitmq_server.broker_ssl) as connection:
        queue(connection.default_channel).declare()
        listed = rabbitmq_server.ctl("list_queues", "-p", "orders", "name", "type", "--no-table-headers")
        queue(connection.default_channel).delete()
    assert ["test-servers.quorum", "quorum"] in [line.split() for line in listed.splitlines()]


@pytest.mark.rabbitmq
def test_a_rabbitmq_impostor_is_refused_and_leaves_nothing_behind(
    tmp_private_dir: Path, ca: CertificateAuthority, rabbitmq_server: RabbitServer
) -> None:
    """One node for several claims, because starting one takes seconds."""
    with RabbitServer(tmp_private_dir, ca, server_cert="self-signed", require_client_cert=True) as impostor:
        pids = impostor.pids
        assert "self-signed certificate" in refusal(impostor.url, impostor.broker_ssl)
        unverified = {"cert_reqs": ssl.CERT_NONE}
        assert HUNG_UP.search(refusal(impostor.url, unverified))
        connect(impostor.url, unverified | {"certfile": str(ca.client.certificate), "keyfile": str(ca.client.key)})
        assert not any(gone(pid) for pid in pids)
    assert all(gone(pid) for pid in pids)
    assert list(tmp_private_dir.iterdir()) == []
