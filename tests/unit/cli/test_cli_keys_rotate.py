"""``safecelery keys rotate``, ``revoke`` and ``list --expiring``."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result

from safecelery.cli.keys import files
from safecelery.errors import KeyringError
from safecelery.keys.sources import load_private
from safecelery.keys.trust import TrustedKey, TrustStore

Run = Callable[..., Result]
NOW = datetime.now(UTC)


@pytest.fixture
def trust(run: Run, room: Path) -> Path:
    """A trust file with a comment, a mode of its own, and the key of ``web``."""
    words = ("--send", "a.*", "--queue", "q", "--control", "ping", "--out", "web.key", "--trust", "trust.toml")
    assert run("keys", "generate", "web", *words).exit_code == 0
    path = room / "trust.toml"
    path.write_text("# whom we believe\n" + path.read_text() + 'mode = "report"  # until May\n')
    path.chmod(0o640)
    return path


def keys_of(trust: Path) -> list[TrustedKey]:
    return list(TrustStore.load(trust).keys.values())


def test_rotate_makes_the_next_key_and_lets_the_old_one_end(run: Run, room: Path, trust: Path) -> None:
    result = run("keys", "rotate", "web", "--trust", trust, "--out", "new.key", "--use-in", "1h", "--keep-old", "9d")
    assert result.exit_code == 0, result.output
    old, new = keys_of(trust)
    private = load_private(f"file:{room / 'new.key'}")
    assert stat.S_IMODE((room / "new.key").stat().st_mode) == 0o600
    assert private.kid == new.kid
    assert (new.send, new.queues, new.control, new.mode) == (old.send, old.queues, old.control, "report")
    first_use = private.created.timestamp()
    assert first_use == pytest.approx((datetime.now(UTC) + timedelta(hours=1)).timestamp(), abs=60)
    assert (new.not_before, old.expires) == (first_use, first_use + 9 * 86_400)
    assert "warning" not in result.output
    steps = [line.strip()[:2] for line in result.output.splitlines() if line.strip()[1:2] == "."]
    assert steps == ["1.", "2.", "3.", "4."]


def test_comments_and_mode_of_the_trust_file_stay(run: Run, trust: Path) -> None:
    run("keys", "rotate", "web", "--trust", trust, "--out", "new.key")
    text = trust.read_text()
    assert text.startswith("# whom we believe\n")
    assert 'mode = "report"  # until May\n' in text
    assert stat.S_IMODE(trust.stat().st_mode) == 0o640
    assert [path.name for path in trust.parent.iterdir() if path.name.startswith(".")] == []


def test_by_default_the_old_key_is_valid_as_long_as_a_message(run: Run, trust: Path) -> None:
    assert run("keys", "rotate", "web", "--trust", trust, "--out", "new.key", "--policy", "strict").exit_code == 0
    old, new = keys_of(trust)
    assert new.not_before is not None
    assert old.expires - new.not_before == 86_400


def test_a_directory_gets_a_file_by_the_keys_id(run: Run, room: Path, trust: Path) -> None:
    (room / "web-keys").mkdir(mode=0o700)
    run("keys", "rotate", keys_of(trust)[0].kid, "--trust", trust, "--out", "web-keys")
    assert [path.name for path in (room / "web-keys").iterdir()] == [f"{keys_of(trust)[1].kid}.key"]


def test_without_a_place_it_goes_to_the_users_configuration(run: Run, tmp_path: Path, trust: Path) -> None:
    run("keys", "rotate", "web", "--trust", trust)
    assert (tmp_path / "config" / "safecelery" / "keys" / f"{keys_of(trust)[1].kid}.key").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--keep-old", "2d"), "is valid for 2d after the new key's first use, but a message may live for 7d"),
        (("--use-in", "400d"), "before the new key is used: nothing can be sent in between"),
    ],
)
def test_what_would_be_refused_is_warned_of(run: Run, trust: Path, words: tuple[str, ...], said: str) -> None:
    assert said in run("keys", "rotate", "web", "--trust", trust, "--out", "new.key", *words).output


def test_a_dry_run_shows_the_change_and_writes_nothing(run: Run, room: Path, trust: Path) -> None:
    (kid,) = (key.kid for key in keys_of(trust))
    before = {path.name: path.read_bytes() for path in room.iterdir()}
    rotated = run("keys", "rotate", "web", "--trust", trust, "--out", "new.key", "--dry-run")
    revoked = run("keys", "revoke", kid, "--trust", trust, "--dry-run")
    assert (rotated.exit_code, revoked.exit_code) == (0, 0)
    assert '+owner = "web"' in rotated.output
    assert "+revoked = true" in revoked.output
    assert {path.name: path.read_bytes() for path in room.iterdir()} == before


@pytest.mark.parametrize(
    ("edit", "words", "said"),
    [
        ("", ("nobody",), "no key and no owner 'nobody'"),
        ("", ("web", "--use-in", "soon"), "no duration"),
        ("", ("web", "--out", "web.key"), "never overwritten"),
        ("[keys", ("web",), "not TOML"),
        ("mode", ("web",), "lets others write it"),
        ("layout", ("web",), "edit it by hand: expires = "),
    ],
)
def test_what_cannot_be_done_leaves_everything_as_it_was(
    run: Run, room: Path, trust: Path, edit: str, words: tuple[str, ...], said: str
) -> None:
    if edit == "mode":
        trust.chmod(0o664)
    elif edit == "layout":
        trust.write_text(trust.read_text().replace("[keys.", '["keys".'))
    else:
        trust.write_text(trust.read_text() + edit)
    before = {path.name: path.read_bytes() for path in room.iterdir()}
    result = run("keys", "rotate", "--out", "new.key", *words, "--trust", trust)
    assert result.exit_code == 2
    assert said in result.output
    assert {path.name: path.read_bytes() for path in room.iterdir()} == before


def test_a_trust_file_that_cannot_be_replaced_leaves_no_key(
    run: Run, room: Path, trust: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        if not (room / "new.key").exists():
            return
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert run("keys", "rotate", "web", "--trust", trust, "--out", "new.key").exit_code == 2
    assert sorted(path.name for path in room.iterdir()) == ["trust.toml", "web.key"]


def test_a_trust_file_that_somebody_else_changes_meanwhile_is_not_overwritten(trust: Path) -> None:
    before = files.read_trust(trust)
    trust.write_text(before + "# another edit\n")
    with pytest.raises(KeyringError, match="at the same time"):
        files.replace_trust(trust, before, before + "# mine\n")
    assert trust.read_text().endswith("# another edit\n")


def test_a_link_to_the_trust_file_stays_one(run: Run, room: Path, trust: Path) -> None:
    link = room / "link.toml"
    link.symlink_to(trust)
    run("keys", "revoke", keys_of(trust)[0].kid, "--trust", link)
    assert link.is_symlink()
    assert keys_of(trust)[0].revoked


def test_a_symmetric_key_names_where_the_new_secret_is(run: Run, room: Path) -> None:
    run("keys", "generate", "bus", "--scheme", "hmac-sha256", "--out", "bus.key", "--trust", "t.toml")
    result = run("keys", "rotate", "bus", "--trust", "t.toml", "--out", "new.key")
    assert f"The new entry's secret is file:{room / 'new.key'}" in result.output
    _, new = keys_of(room / "t.toml")
    assert new.kid == load_private(f"file:{room / 'new.key'}").kid
    revoked = run("keys", "revoke", new.kid, "--trust", "t.toml")
    assert "Everybody who could verify with this secret can sign with it" in revoked.output


def test_revoke_is_told_what_else_to_do_and_done_once(run: Run, trust: Path) -> None:
    (key,) = keys_of(trust)
    first = run("keys", "revoke", key.kid, "--trust", trust)
    text = trust.read_text()
    assert keys_of(trust)[0].revoked
    assert "safecelery keys rotate" in first.output
    second = run("keys", "revoke", key.kid, "--trust", trust)
    assert (second.exit_code, trust.read_text()) == (0, text)
    assert "already" in second.output
    after = run("keys", "rotate", key.kid, "--trust", trust, "--out", "new.key", "--use-in", "0s")
    assert "is revoked, so nothing can be sent until the new key is used" in after.output
    assert [each.revoked for each in keys_of(trust)] == [True, False]


def test_revoke_of_an_unknown_key_suggests_the_right_one(run: Run, trust: Path) -> None:
    (key,) = keys_of(trust)
    result = run("keys", "revoke", f"{key.kid}x", "--trust", trust)
    assert result.exit_code == 2
    assert f"did you mean '{key.kid}'" in result.output


def moved(trust: Path, key: TrustedKey, begins: datetime, ends: datetime) -> None:
    """Another time for one entry."""
    text = trust.read_text()
    head = text.index(f'[keys."{key.kid}"]')
    rest = text[head:]
    for name, when in (("not_before", begins), ("expires", ends)):
        rest = re.sub(rf"{name} = \S+", f"{name} = {when:%Y-%m-%dT%H:%M:%SZ}", rest, count=1)
    trust.write_text(text[:head] + rest)


def test_list_expiring_is_a_check_for_cron(run: Run, room: Path) -> None:
    trust = room / "t.toml"
    for owner, days in (("year", 365), ("month", 29), ("week", 6), ("gone", 3)):
        run("keys", "generate", owner, "--days", days, "--out", f"{owner}.key", "--trust", trust)
    by_owner = {key.owner: key for key in keys_of(trust)}
    moved(trust, by_owner["gone"], NOW - timedelta(days=9), NOW - timedelta(days=1))

    def listed(*words: str) -> tuple[int, list[str]]:
        result = run("keys", "list", "--trust", trust, *words, "--json")
        return result.exit_code, [key["owner"] for key in json.loads(result.output)]

    assert listed("--expiring") == (1, ["gone", "week", "month"])
    assert listed("--expiring", "7d") == (1, ["gone", "week"])
    assert listed() == (0, ["year", "month", "week", "gone"])
    for owner in ("gone", "week"):
        run("keys", "revoke", by_owner[owner].kid, "--trust", trust)
    assert listed("--expiring", "7d") == (0, [])
    quiet = run("keys", "list", "--trust", trust, "--expiring", "7d")
    assert (quiet.exit_code, quiet.output) == (0, "")
    assert run("keys", "list", "--trust", trust, "--expiring").output.splitlines()[1].split()[1] == "month"


def test_an_expired_key_that_was_replaced_no_longer_counts(run: Run, trust: Path) -> None:
    run("keys", "rotate", "web", "--trust", trust, "--out", "new.key", "--use-in", "0s", "--keep-old", "20d")
    assert run("keys", "list", "--trust", trust, "--expiring").exit_code == 1, "it ends, and somebody may still use it"
    moved(trust, keys_of(trust)[0], NOW - timedelta(days=9), NOW - timedelta(days=1))
    assert run("keys", "list", "--trust", trust, "--expiring").exit_code == 0
    run("keys", "revoke", keys_of(trust)[1].kid, "--trust", trust)
    assert run("keys", "list", "--trust", trust, "--expiring").exit_code == 1
