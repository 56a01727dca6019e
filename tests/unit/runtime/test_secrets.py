"""Answers of a worker do not hold the secrets it knows, wherever they stand in its configuration."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.runtime.commands import HANDLERS
from safecelery.runtime.secrets import MASK, Secrets
from tests.unit.apps import PASSWORD, an_app

PLACES: list[tuple[str, Any]] = [
    ("broker_read_url", "amqps://u:hunter2-hunter2@h//"),
    ("broker_url", "amqps://u:hunter2-hunter2@h//;amqps://u:hunter2-hunter2@i//"),
    ("result_backend", "redis://:hunter2-hunter2@h/0"),
    ("result_backend", "db+postgresql://u:hunter2-hunter2@h/d"),
    ("result_backend", "rediss://h/0?password=hunter2-hunter2"),
    ("broker_transport_options", {"sentinel_kwargs": {"password": "hunter2-hunter2"}}),
    ("result_backend_transport_options", {"master": {"auth_token": "hunter2-hunter2"}}),
    ("broker_transport_options", {"urls": ["redis://:hunter2-hunter2@h"]}),
    ("redis_password", "hunter2-hunter2"),
    ("s3_secret_access_key", "hunter2-hunter2"),
    ("security_key_password", b"hunter2-hunter2"),
]


def state(app: Any) -> Any:
    return SimpleNamespace(app=app)


@pytest.mark.parametrize(("name", "value"), PLACES)
def test_no_answer_holds_a_secret(tmp_path: Path, name: str, value: Any) -> None:
    app = an_app(tmp_path)
    app.conf[name] = value
    for command, arguments in (("conf", {}), ("conf", {"with_defaults": True}), ("report", {})):
        try:
            told = json.dumps(HANDLERS[command](state(app), **arguments), default=repr)
        except Exception as error:  # bugreport asks the broker's transport, and there is none
            told = repr(error)
        assert "hunter2-hunter2" not in told, (command, name)


def test_the_settings_own_secrets_are_known(tmp_path: Path) -> None:
    app = an_app(tmp_path)
    secrets = Secrets.of(app.conf, app.guard.settings)
    assert secrets.masked(f"it is {PASSWORD}, really") == f"it is {MASK}, really"
    assert PASSWORD not in repr(secrets)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:hunter2@h/0", f"redis://:{MASK}@h/0"),
        ("amqp://u:p@ss@h//;amqp://u:q@i//", f"amqp://u:{MASK}@h//;amqp://u:{MASK}@i//"),
        ("redis://h/0?password=x&db=1", f"redis://h/0?password={MASK}&db=1"),
        ("https://example.org/a?b=c", "https://example.org/a?b=c"),
        ("user@host", "user@host"),
    ],
)
def test_urls_are_shown_without_their_passwords(text: str, shown: str) -> None:
    assert Secrets(()).masked(text) == shown


def test_names_that_sound_like_secrets_are_masked_and_others_are_not() -> None:
    given_ = {
        "password": "a", "api_key": "b", "security_key": "c", "token": ["d"], "passwd": {"e": 1},
        "routing_key": "celery", "shop.refresh_token": 3, "passed": "f", "task": "service.add", "secret": None, 5: "g",
    }  # fmt: skip
    masked = Secrets(()).masked(given_)
    assert [masked[name] for name in ("password", "api_key", "security_key", "token", "passwd")] == [MASK] * 5
    assert {name: masked[name] for name in ("routing_key", "shop.refresh_token", "passed", "task", "secret", 5)} == {
        "routing_key": "celery", "shop.refresh_token": 3, "passed": "f", "task": "service.add", "secret": None, 5: "g",
    }  # fmt: skip


def test_what_is_nested_too_deeply_is_masked_whole() -> None:
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    assert MASK in json.dumps(Secrets(()).masked(deep))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_a_known_secret_is_nowhere_in_what_is_shown(value: Any) -> None:
    text = json.dumps(Secrets(("hunter2-hunter2",)).masked([value, "hunter2-hunter2", {"hunter2-hunter2": value}]))
    assert "hunter2" not in text
