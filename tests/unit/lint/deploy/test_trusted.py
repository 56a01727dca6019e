"""Trust stores become facts, key by key, and python files that say how the program is run reach the readers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from safecelery.lint.config import LintConfig
from safecelery.lint.deploy.trusted import trusted_keys
from safecelery.lint.engine import lint
from safecelery.lint.source.names import deployment_kind
from safecelery.policy.facts import ABSENT, UNKNOWN

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STORE = """\
[keys."web-1"]
owner = "web"
scheme = "ed25519"
send = ["*"]
queues = ["shop"]
control = ["ping"]
expires = 2026-01-02T00:00:00Z

[keys.old-1]
owner = "old"
scheme = "ed25519"
send = "shop.*"
queues = [1]
expires = 2026-01-02
revoked = true
"""


def test_every_key_is_a_fact_with_its_line_grants_and_remaining_time() -> None:
    web, old = trusted_keys("trust.toml", STORE, NOW)
    assert (web.kid, web.where.line, web.expires_s) == ("web-1", 1, 86400.0)
    assert (web.send, web.queues, web.control, web.revoked) == (("*",), ("shop",), ("ping",), False)
    assert (old.where.line, old.expires_s, old.send, old.queues, old.revoked) == (9, UNKNOWN, UNKNOWN, UNKNOWN, True)
    assert old.control == ()


def test_a_key_without_expiry_is_told_apart_from_one_with_an_unreadable_date() -> None:
    (key,) = trusted_keys("trust.toml", '[keys.a]\nowner="a"\nscheme="b"\n', NOW)
    assert key.expires_s is ABSENT


@pytest.mark.parametrize("text", ["", "keys = 3", "[keys]\na = 1", "not toml [", 'keys."a" = []'])
def test_what_is_no_store_gives_nothing(text: str) -> None:
    assert list(trusted_keys("trust.toml", text, NOW)) == []


def codes(root: Path) -> set[str]:
    result = lint([str(root)], LintConfig(cache=False, jobs=1, include_tests=True, root=root))
    return {finding.code for finding in result.findings}


def test_the_linter_judges_the_stores_of_a_project(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "trust.toml").write_text(STORE.replace("expires = 2026-01-02T00:00:00Z\n", ""))
    assert {"SFC307", "SFC310"} <= codes(tmp_path / "shop")


def test_the_linter_reads_requirements_of_setup_py(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "setup.py").write_text(
        'from setuptools import setup\nsetup(install_requires=["celery==4.4.0", "flower"])\n'
    )
    assert "SFC980" in codes(root)


def test_the_linter_finds_the_login_in_the_configuration_of_flower(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "Procfile").write_text("flower: celery -A shop flower\n")
    assert "SFC958" in codes(root)
    (root / "flowerconfig.py").write_text('basic_auth = ["operator:" + PASSWORD]\n')
    assert "SFC958" not in codes(root)


def test_a_private_key_is_found_whatever_its_file_is_called(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "site.crt").write_text("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n")
    (root / "site.crt").chmod(0o644)
    assert "SFC331" in codes(root)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("server.crt", "key"),
        ("server.cert", "key"),
        ("id_dsa", "key"),
        ("worker.service.j2", "systemd"),
        ("worker.service.in", "systemd"),
        ("worker.state.db", "state"),
        ("requirements.pip", "requirements"),
        ("page.html.j2", None),
        ("notes.in", None),
    ],
)
def test_names_of_files_tell_their_kind(name: str, kind: str | None) -> None:
    assert deployment_kind(name, "deploy") == kind
