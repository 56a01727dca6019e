"""Secrets are found by what they are, told apart from what only looks alike, and never shown."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from safecelery.keys.generate import generate_key, trust_entry
from safecelery.keys.private import render_private
from safecelery.lint.deploy import read
from safecelery.policy.facts import UNKNOWN, FileFacts
from tests.unit.lint.deploy.deploy_pages import deployment_of

PEM = "-----BEGIN {}PRIVATE KEY-----\nc2VjcmV0\n-----END {}PRIVATE KEY-----\n"


def files(root: Path, **contents: str) -> list[FileFacts]:
    return deployment_of(dict(contents), root).files


@pytest.mark.parametrize("kind", ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "])
def test_private_keys_of_every_kind(kind: str, tmp_path: Path) -> None:
    (fact,) = files(tmp_path, **{"keys/a.pem": PEM.format(kind, kind)})
    assert (fact.kind, fact.in_repository, fact.example) == ("private-key", UNKNOWN, False)
    assert ("an encrypted" in fact.detail) is (kind == "ENCRYPTED ")
    assert "c2VjcmV0" not in repr(fact)


def test_a_key_that_safecelery_made(tmp_path: Path) -> None:
    key = generate_key("shop", scheme="ed25519", lifetime=timedelta(days=1))
    (fact,) = files(tmp_path, **{"conf/shop.key": render_private(key)})
    assert fact.detail == "a private key of safecelery"
    assert "secret" not in repr(fact)


def test_a_trust_store_that_safecelery_made_holds_no_secret(tmp_path: Path) -> None:
    key = generate_key("shop", scheme="ed25519", lifetime=timedelta(days=1))
    entry = trust_entry(key, send=("a",), queues=("b",), control=(), secret_reference=None)
    (fact,) = files(tmp_path, **{"trust.toml": entry})
    assert (fact.kind, fact.holds_private_key) == ("trust-store", False)


@pytest.mark.parametrize(
    "text", ["-----BEGIN CERTIFICATE-----\n", "-----BEGIN PUBLIC KEY-----\n", "", "key = 1", "\x00"]
)
def test_what_is_no_secret(text: str, tmp_path: Path) -> None:
    assert files(tmp_path, **{"a.pem": text, "pyproject.toml": "[project]\n"}) == []


@pytest.mark.parametrize("name", ["tests/data/a.pem", "docs/example.key", "fixtures/a.pem", "a.test.pem"])
def test_keys_made_for_tests_are_marked(name: str, tmp_path: Path) -> None:
    (fact,) = files(tmp_path, **{name: PEM.format("", "")})
    assert fact.example


@pytest.mark.parametrize(
    "name", ["celerybeat-schedule", "var/celerybeat-schedule.db", "worker.state", "celery-1.state"]
)
def test_pickled_state(name: str, tmp_path: Path) -> None:
    assert [fact.kind for fact in files(tmp_path, **{name: "x"})] == ["state-file"]


def test_git_says_what_is_in_the_repository(tmp_path: Path) -> None:
    for name in ("a.pem", "new.pem", "off.pem", "sub/off/b.pem"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(PEM.format("", ""))
    (tmp_path / ".gitignore").write_text("off*\n")
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "-C", str(tmp_path), "add", "a.pem"], check=True)
    names = ["a.pem", "new.pem", "off.pem", "sub/off/b.pem"]
    found = read((name, str(tmp_path / name)) for name in names).files
    assert [fact.in_repository for fact in found] == [True, True, False, False]


def test_the_mode_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.pem"
    path.write_text(PEM.format("", ""))
    path.chmod(0o640)
    (fact,) = read([("a.pem", str(path))]).files
    assert fact.mode == 0o640
