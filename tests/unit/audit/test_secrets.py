"""What an audit prints holds no secrets."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.audit.secrets import without_secrets


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("broker_url", "redis://u:p4ss@h:1/0", "redis://u:***@h:1/0"),
        ("broker_url", "redis://:p4ss@h/0;redis://:p4ss@i/0", "redis://:***@h/0;redis://:***@i/0"),
        ("broker_url", ["amqp://u:p4/ss@h//", "amqp://h//"], ["amqp://u:***@h//", "amqp://h//"]),
        ("broker_url", "redis://h/0?password=p4ss&db=1", "redis://h/0?password=***&db=1"),
        ("result_backend", "azureblockblob://AccountKey=p4ss;x=1", "azureblockblob://***"),
        ("redis_password", "p4ss", "***"),
        ("redis_password", "", ""),
        ("redis_password", None, None),
        ("cassandra_auth_kwargs", {"user": "u", "word": "p4ss"}, {"user": "***", "word": "***"}),
        ("broker_transport_options", {"a": {"password": "p4ss", "db": 1}}, {"a": {"password": "***", "db": 1}}),
        ("task_serializer", "json", "json"),
        ("accept_content", ("json", "yaml"), ("json", "yaml")),
        ("accept_content", {"json"}, frozenset({"json"})),
        ("task_time_limit", 30, 30),
    ],
)
def test_passwords_and_keys_become_asterisks(name: str, value: Any, masked: Any) -> None:
    assert without_secrets(name, value) == masked
    assert "p4ss" not in repr(masked)
