"""Fixtures for every suite: real servers for the session, private directories, a deterministic Hypothesis."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest

from safecelery.testing.servers import (
    POSTGRESQL_MISSING,
    RABBITMQ_MISSING,
    REDIS_MISSING,
    CertificateAuthority,
    PostgresServer,
    RabbitServer,
    RedisServer,
    postgresql_programs,
    rabbitmq_scripts,
    redis_binary,
)

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("explore", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


#: Files that take longest (30 to 220 s each), longest first. Whole files are shared out to processes: one of these that
#: began last would be waited for by all the others.
LONGEST = (
    "integration/test_ledger.py",
    "attacks/test_attacks.py",
    "attacks/test_attacks_on_results.py",
    "integration/test_mixed_fleet.py",
    "integration/test_dlq_cli.py",
    "integration/test_dlq_many.py",
    "integration/test_key_reload.py",
    "integration/test_results.py",
    "integration/test_encryption.py",
    "integration/test_dlq_crash.py",
    "integration/test_adopt_guide.py",
    "integration/test_parking.py",
    "integration/test_control.py",
    "integration/test_demo.py",
    "integration/test_key_rotation.py",
    "integration/test_state_file_attacks.py",
    "integration/test_redis_delivery.py",
    "integration/test_canary.py",
    "integration/test_limits.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; all others, and the tests of a file, in their order."""
    begin = {Path(__file__).parent / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: begin.get(item.path, len(begin)))


def missing(what: str) -> NoReturn:
    """A server that is not installed: a laptop skips, CI does not get away with it."""
    if os.environ.get("CI") == "true":
        pytest.fail(what, pytrace=False)
    pytest.skip(what)


def _private_dir() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="sc-"))  # short, because a unix socket's path must fit in 107 bytes; 0700
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def tmp_private_dir() -> Iterator[Path]:
    """A new directory of mode 0700 with a short path, removed after the test."""
    yield from _private_dir()


@pytest.fixture(scope="session")
def servers_dir() -> Iterator[Path]:
    """Where the session's servers live; removed at its end."""
    yield from _private_dir()


@pytest.fixture(scope="session")
def ca(servers_dir: Path) -> CertificateAuthority:
    """The session's certificate authority, with good and bad certificates."""
    return CertificateAuthority.create(servers_dir)


@pytest.fixture(scope="session")
def redis_server(servers_dir: Path, ca: CertificateAuthority) -> Iterator[RedisServer]:
    """A running Redis: TLS only, one ACL user."""
    binary = redis_binary()
    if binary is None or not binary.tls:
        missing(REDIS_MISSING if binary is None else f"{binary.path} has no TLS: 'apt-get install redis-server'")
    with RedisServer(servers_dir, ca) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_server(ca: CertificateAuthority) -> Iterator[PostgresServer]:
    """A running PostgreSQL: TLS only, one role."""
    if postgresql_programs() is None:
        missing(POSTGRESQL_MISSING)
    with PostgresServer(ca) as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq_server(servers_dir: Path, ca: CertificateAuthority) -> Iterator[RabbitServer]:
    """A running RabbitMQ node: TLS only, own virtual host and user."""
    if rabbitmq_scripts() is None:
        missing(RABBITMQ_MISSING)
    with RabbitServer(servers_dir, ca) as server:
        yield server


@pytest.fixture(
    scope="session",
    params=[
        pytest.param("redis_server", marks=pytest.mark.redis, id="redis"),
        pytest.param("rabbitmq_server", marks=pytest.mark.rabbitmq, id="rabbitmq"),
    ],
)
def broker(request: pytest.FixtureRequest) -> RedisServer | RabbitServer:
    """Each broker in turn, for whatever must hold on all of them."""
    server: RedisServer | RabbitServer = request.getfixturevalue(request.param)
    return server
