"""``safecelery keys``: the private file, the trust file, and what is never shown."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from safecelery.cli.keys.describe import state_of
from safecelery.keys.generate import generate_key, trust_entry
from safecelery.keys.sources import load_private
from safecelery.keys.trust import TrustStore

Run = Callable[..., Result]
NOW = datetime(2026, 6, 1, tzinfo=UTC)


def secret_of(path: Path) -> str:
    return next(line for line in path.read_text().splitlines() if line.startswith("secret")).split('"')[1]


def test_a_new_key_is_private_and_its_entry_is_printed(run: Run, room: Path) -> None:
    result = run("keys", "generate", "web", "--send", "orders.*", "--queue", "orders", "--out", "web.key")
    assert result.exit_code == 0
    assert stat.S_IMODE((room / "web.key").stat().st_mode) == 0o600
    kid = load_private(f"file:{room / 'web.key'}").kid
    store = TrustStore.parse(result.stdout, "stdout")
    assert store.keys[kid].may_send_task("orders.pay")
    assert store.keys[kid].may_use_queue("orders")
    assert secret_of(room / "web.key") not in result.output


def test_without_a_place_it_goes_to_the_users_configuration(run: Run, tmp_path: Path) -> None:
    result = run("keys", "generate", "web")
    assert result.exit_code == 0
    (path,) = (tmp_path / "config" / "safecelery" / "keys").iterdir()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert path.name == f"{load_private(f'file:{path}').kid}.key"
    assert "without both --send and --queue it may send nothing" in result.stderr


@pytest.mark.parametrize("scheme", ["ed25519", "hmac-sha256"])
def test_the_trust_file_grows_and_its_old_entries_stay(run: Run, room: Path, scheme: str) -> None:
    trust = room / "trust.toml"
    for owner in ("one", "two"):
        words = ("keys", "generate", owner, "--scheme", scheme, "--out", f"{owner}.key", "--trust", trust)
        assert run(*words).exit_code == 0
    assert [key.owner for key in TrustStore.load(trust).keys.values()] == ["one", "two"]
    assert secret_of(room / "one.key") not in trust.read_text()
    assert list(room.glob(".trust-*")) == []


def test_comments_and_mode_of_the_trust_file_survive(run: Run, room: Path) -> None:
    trust = room / "trust.toml"
    run("keys", "generate", "one", "--out", "one.key", "--trust", trust)
    trust.write_text("# whom we believe\n" + trust.read_text())
    trust.chmod(0o640)
    run("keys", "generate", "two", "--out", "two.key", "--trust", trust)
    assert trust.read_text().startswith("# whom we believe\n")
    assert stat.S_IMODE(trust.stat().st_mode) == 0o640


def test_a_key_is_never_overwritten(run: Run, room: Path) -> None:
    (room / "web.key").write_text("precious")
    result = run("keys", "generate", "web", "--out", "web.key", "--trust", "trust.toml")
    assert (result.exit_code, (room / "web.key").read_text()) == (2, "precious")
    assert "never overwritten" in result.stderr
    assert not (room / "trust.toml").exists()


def test_a_broken_trust_file_is_left_alone_and_no_key_remains(run: Run, room: Path) -> None:
    (room / "trust.toml").write_text("[keys]\n")
    result = run("keys", "generate", "web", "--out", "web.key", "--trust", "trust.toml")
    assert result.exit_code == 2
    assert (room / "trust.toml").read_text() == "[keys]\n"
    assert not (room / "web.key").exists()


def test_a_git_work_tree_is_no_place_for_a_key(run: Run, room: Path) -> None:
    (room / ".git").mkdir()
    (room / "deep").mkdir()
    result = run("keys", "generate", "web", "--out", "deep/web.key")
    assert result.exit_code == 2
    assert "git work tree" in result.stderr
    assert list((room / "deep").iterdir()) == []
    insisted = run("keys", "generate", "web", "--out", "deep/web.key", "--allow-inside-git-worktree")
    assert insisted.exit_code == 0


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("Web",), "owner 'Web'"),
        (("web", "--scheme", "rsa"), "scheme 'rsa'"),
        (("web", "--days", "0"), "--days"),
        (("web", "--send", 'a"b'), "without quotes"),
    ],
)
def test_what_makes_no_key_leaves_nothing(run: Run, room: Path, words: tuple[str, ...], text: str) -> None:
    result = run("keys", "generate", *words, "--out", "web.key")
    assert result.exit_code == 2
    assert text in result.stderr
    assert list(room.iterdir()) == []


def test_list_shows_whose_until_when_and_for_what(run: Run, room: Path) -> None:
    run("keys", "generate", "web", "--send", "a.*", "--queue", "q", "--out", "web.key", "--trust", "t.toml")
    run("keys", "generate", "ops", "--days", "5", "--control", "ping", "--out", "ops.key", "--trust", "t.toml")
    head, web, ops = run("keys", "list", "--trust", "t.toml").output.splitlines()
    assert head.split()[:5] == ["KEY", "OWNER", "SCHEME", "STATE", "EXPIRES"]
    assert web.split()[1:4] == ["web", "ed25519", "valid"]
    assert web.split()[5:] == ["a.*", "q", "-", "-", "enforce"]
    assert ops.split()[3] == "expiring"
    assert ops.split()[5:] == ["-", "-", "ping", "-", "enforce"]
    found = json.loads(run("keys", "list", "--trust", "t.toml", "--json").output)
    assert [(key["owner"], key["send"], key["state"]) for key in found] == [
        ("web", ["a.*"], "valid"),
        ("ops", [], "expiring"),
    ]


def test_the_trust_file_can_come_from_the_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("keys", "generate", "web", "--out", "web.key", "--trust", "t.toml")
    monkeypatch.setenv("SAFECELERY_SIGNING__TRUST_FILE", "t.toml")
    assert "web" in run("keys", "list").output


@pytest.mark.parametrize("scheme", ["ed25519", "hmac-sha256"])
def test_show_never_shows_the_secret(run: Run, room: Path, scheme: str) -> None:
    run("keys", "generate", "web", "--scheme", scheme, "--out", "web.key", "--trust", "t.toml")
    kid = load_private(f"file:{room / 'web.key'}").kid
    of_file, of_id = run("keys", "show", "web.key"), run("keys", "show", kid, "--trust", "t.toml", "--json")
    assert kid in of_file.output
    assert json.loads(of_id.output)["kid"] == kid
    for result in (of_file, of_id):
        assert secret_of(room / "web.key") not in result.output


def test_show_of_what_is_not_there_says_where_to_look(run: Run) -> None:
    run("keys", "generate", "web", "--out", "web.key", "--trust", "t.toml")
    assert "name the trust file with --trust" in run("keys", "show", "web-00000000").stderr
    (kid,) = TrustStore.load(Path("t.toml")).keys
    result = run("keys", "show", f"{kid}x", "--trust", "t.toml")
    assert result.exit_code == 2
    assert f"did you mean '{kid}'?" in result.stderr


@pytest.mark.parametrize(
    ("created", "days", "edit", "state"),
    [
        (NOW, 365, "", "valid"),
        (NOW, 29, "", "expiring"),
        (NOW - timedelta(days=10), 9, "", "expired"),
        (NOW + timedelta(days=1), 90, "", "not yet valid"),
        (NOW, 365, "revoked = true\n", "revoked"),
    ],
)
def test_the_state_of_a_key(created: datetime, days: int, edit: str, state: str) -> None:
    key = generate_key("web", lifetime=timedelta(days=days), now=created)
    store = TrustStore.parse(trust_entry(key) + edit, "test")
    assert state_of(store.keys[key.kid], NOW) == state
