"""What a sender hears before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest

from safecelery import SealError
from safecelery.runtime.publish import _audience
from tests.unit.apps import an_app, keys_in


def test_a_publish_to_nowhere_is_refused() -> None:
    with pytest.raises(SealError, match="where to"):
        _audience(None, None, None)


def test_a_sender_whose_own_key_is_revoked_hears_of_it(tmp_path: Path) -> None:
    trust: Path = keys_in(tmp_path)["trust_file"]
    trust.write_text(trust.read_text() + "revoked = true\n")
    app = an_app(tmp_path, memory=True)
    with pytest.raises(SealError, match="key-revoked"):
        app.send_task("orders.pay")


@pytest.mark.parametrize(("task", "queue", "said"), [("other.pay", "orders", "other.pay"), ("a.b", "x", "queue 'x'")])
def test_a_sender_without_the_grant_hears_of_it(tmp_path: Path, task: str, queue: str, said: str) -> None:
    trust: Path = keys_in(tmp_path)["trust_file"]
    limited = trust.read_text().replace('send = ["*"]', 'send = ["a.*"]')
    trust.write_text(limited.replace('queues = ["*"]', 'queues = ["orders"]'))
    app = an_app(tmp_path, memory=True)
    with pytest.raises(SealError, match=said):
        app.send_task(task, queue=queue)


def test_headers_that_grow_beyond_the_limit_are_not_sent(tmp_path: Path) -> None:
    app = an_app(tmp_path, memory=True)
    with pytest.raises(SealError, match="headers"):
        app.send_task("orders.pay", headers={"note": ["x" * 1_000_000]})


def test_a_header_that_every_worker_would_refuse_is_not_sent(tmp_path: Path) -> None:
    app = an_app(tmp_path, memory=True)
    with pytest.raises(SealError, match="header 'note' has 20000 characters"):
        app.send_task("orders.pay", headers={"note": "x" * 20_000})
    with pytest.raises(SealError, match="headers, allowed are"):
        app.send_task("orders.pay", headers={f"x{n}": n for n in range(120)})
    with pytest.raises(SealError, match="header 'CC' would have the broker send copies"):
        app.send_task("orders.pay", headers={"CC": ["elsewhere"]})
    with pytest.raises(SealError, match="header 'delivery_info' would stand in"):
        app.send_task("orders.pay", headers={"delivery_info": {}})
