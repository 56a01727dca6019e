"""The document of facts holds no secret, whoever asks for it."""

from __future__ import annotations

import json
from pathlib import Path

from safecelery.lint.config import LintConfig
from safecelery.lint.engine import facts

APP = """\
from celery import Celery

app = Celery("shop", broker="amqp://shop:hunter2@mq.internal//")
app.conf.update(
    result_backend="redis://:hunter3@cache.internal/0",
    security_key_password="hunter4",
    broker_transport_options={"sentinel_kwargs": {"password": "hunter5"}, "visibility_timeout": 3600},
    task_routes={"shop.*": {"queue": "billing", "routing_key": "billing.high"}},
    broker_failover_strategy=["amqp://a:hunter6@one//", "amqp://b:hunter7@two//"],
)
"""


def test_passwords_are_masked_and_everything_else_is_left(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(APP)
    document = facts([str(tmp_path)], LintConfig(cache=False, jobs=1))
    text = json.dumps(document)
    assert "hunter" not in text
    conf = document["apps"][0]["conf"]
    assert conf["broker_url"]["value"] == "amqp://shop:***@mq.internal//"
    assert conf["broker_transport_options"]["value"]["visibility_timeout"] == 3600
    assert conf["task_routes"]["value"]["shop.*"] == {"queue": "billing", "routing_key": "billing.high"}
    assert document["apps"][0]["file"] == "shop.py"
