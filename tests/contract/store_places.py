"""Where each kind of store is kept for a test: real servers with TLS, a SQLite file, this process' memory."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

__all__ = ["OPENERS", "Place"]


@dataclass(frozen=True, slots=True)
class Place:
    """What ``open_store`` takes."""

    url: str
    tls: dict[str, Any] = field(default_factory=dict)
    shared: bool = True
    """Other processes see the same."""


def _redis(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    server = request.getfixturevalue("redis_server")
    tls = {"ssl_ca_certs": str(server.ca_file), "ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    return Place(server.url_for(9), tls)


def _sqlite(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(f"sqlite:///{tmp_path / 'ledger.db'}")


def _postgresql(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place(request.getfixturevalue("postgresql_server").url)


def _memory(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return Place("memory://", shared=False)


OPENERS: Mapping[str, Callable[[pytest.FixtureRequest, Path], Place]] = {
    "memory": _memory,
    "postgresql": _postgresql,
    "redis": _redis,
    "sqlite": _sqlite,
}
