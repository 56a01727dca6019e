"""``safecelery init``: what it writes, and what it refuses to touch. That it runs is tests/integration/test_init.py."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from safecelery.keys.sources import load_private
from safecelery.keys.trust import TrustStore
from safecelery.policy.profile import load_policy

Run = Callable[..., Result]


def tree(directory: Path) -> set[str]:
    return {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}


def test_the_skeleton_is_complete_and_consistent(run: Run, room: Path, tmp_path: Path) -> None:
    result = run("init", "shop")
    assert result.exit_code == 0
    assert tree(room / "shop") == {
        "shop/__init__.py", "shop/app.py", "shop/tasks.py", "safecelery.toml", "policy.toml", "trust.toml", "README.md",
        ".gitignore",
    }  # fmt: skip
    settings = tomllib.loads((room / "shop" / "safecelery.toml").read_text())
    key_file = tmp_path / "config" / "safecelery" / "shop" / "shop.key"
    assert settings["signing"]["key"] == f"file:{key_file}"
    key = load_private(settings["signing"]["key"])
    trusted = TrustStore.load(room / "shop" / "trust.toml").keys[key.kid]
    assert trusted.may_send_task("shop.tasks.greet")
    assert trusted.may_use_queue(settings["default_queue"])
    assert not trusted.may_send_task("other.task")
    assert load_policy(room / "shop" / "policy.toml").name == "shop"


def test_nothing_in_the_directory_is_secret(run: Run, room: Path, tmp_path: Path) -> None:
    run("init", "shop", "--broker-url", "redis://me:hush@broker/0")
    key_file = tmp_path / "config" / "safecelery" / "shop" / "shop.key"
    secret = tomllib.loads(key_file.read_text())["secret"]
    for path in (room / "shop").rglob("*"):
        if path.is_file():
            assert secret not in path.read_text()
            assert "hush" not in path.read_text()


def test_keys_and_broker_url_are_for_their_owner_only(run: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    result = run("init", "shop", "--keys-dir", keys, "--broker-url", "redis://me:hush@broker/0")
    assert "hush" not in result.output
    files = [path for path in keys.rglob("*") if path.is_file()]
    assert tree(keys) == {"shop.key", "secrets/SAFECELERY_BROKER__URL", "secrets/SAFECELERY_RESULTS__URL"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (keys, keys / "secrets")} == {0o700}


def test_rabbitmq_keeps_no_results(run: Run, tmp_path: Path) -> None:
    run("init", "shop", "--keys-dir", tmp_path / "keys", "--broker-url", "amqps://me:hush@broker/shop")
    assert tree(tmp_path / "keys") == {"shop.key", "secrets/SAFECELERY_BROKER__URL"}


def test_an_empty_directory_will_do_and_gives_the_name(run: Run, room: Path) -> None:
    (room / "My-Shop").mkdir()
    assert run("init", "My-Shop").exit_code == 0
    assert (room / "My-Shop" / "my_shop" / "app.py").is_file()


def nothing_new(room: Path, tmp_path: Path, before: set[str]) -> bool:
    return tree(room) == before and not (tmp_path / "config").exists()


def test_a_directory_with_something_in_it_is_left_alone(run: Run, room: Path, tmp_path: Path) -> None:
    (room / "shop").mkdir()
    (room / "shop" / "thesis.txt").write_text("years of work")
    result = run("init", "shop")
    assert result.exit_code == 2
    assert "is not empty" in result.stderr
    assert nothing_new(room, tmp_path, {"shop/thesis.txt"})


def test_an_existing_key_is_left_alone(run: Run, room: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "shop.key").write_text("precious")
    result = run("init", "shop", "--keys-dir", keys)
    assert (result.exit_code, (keys / "shop.key").read_text()) == (2, "precious")
    assert nothing_new(room, tmp_path, set())


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("shop", "--name", "Shop"), "lower-case"),
        (("shop", "--name", "class"), "is taken"),
        (("shop", "--name", "celery"), "is taken"),
        (("shop", "--name", "json"), "is taken"),
        (("2shop",), "lower-case"),
        (("shop", "--keys-dir", "shop/keys"), "inside the service's directory"),
        (("shop", "--broker-url", "kafka://x"), "scheme 'kafka' is not supported"),
    ],
)
def test_what_cannot_be_made_leaves_nothing(
    run: Run, room: Path, tmp_path: Path, words: tuple[str, ...], text: str
) -> None:
    result = run("init", *words)
    assert result.exit_code == 2
    assert text in result.stderr
    assert nothing_new(room, tmp_path, set())


def test_keys_do_not_go_into_a_git_work_tree(run: Run, room: Path, tmp_path: Path) -> None:
    (room / ".git").mkdir()
    result = run("init", "shop", "--keys-dir", "keys")
    assert result.exit_code == 2
    assert "git work tree" in result.stderr
    assert nothing_new(room, tmp_path, set())
    assert run("init", "shop").exit_code == 0  # the service itself may be in one
