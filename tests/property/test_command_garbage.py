"""No payload makes a worker's mailbox raise, and none that is not signed runs anything."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecelery.firewall.control import COMMANDS
from safecelery.message.claims import Audience
from safecelery.message.seal import HEADER
from tests.unit.runtime.pidboxes import Pidbox, a_pidbox, message

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*sorted(COMMANDS), "election", "mine", "dump_conf"])
#: Near a command: its members, each perhaps missing or of another type.
NEAR = st.fixed_dictionaries(
    {},
    optional={
        "method": NAMES | JSON,
        "arguments": st.dictionaries(st.text(max_size=10), JSON, max_size=3) | JSON,
        "destination": st.none() | st.lists(st.sampled_from(["a@host", "b@host"])) | JSON,
        "pattern": JSON,
        "matcher": st.sampled_from(["glob", "pcre"]) | JSON,
        "ticket": JSON,
        "reply_to": st.dictionaries(st.sampled_from(["exchange", "routing_key"]), JSON) | JSON,
    },
)
HEADER_NAMES = st.sampled_from([HEADER, "clock", "expires", "ticket", "compression", "task"])
HEADERS = st.dictionaries(HEADER_NAMES, JSON | st.binary())


@pytest.fixture(scope="module")
def pidbox() -> Iterator[Pidbox]:
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as monkeypatch:
        yield a_pidbox(Path(directory), monkeypatch)


@given(body=st.binary() | st.text() | JSON | NEAR.map(json.dumps), headers=HEADERS | JSON)
def test_what_is_not_signed_never_runs_and_never_raises(pidbox: Pidbox, body: Any, headers: Any) -> None:
    pidbox.ran.clear()
    pidbox.node.receive(message(body, headers))
    assert pidbox.ran == []
    assert pidbox.published == []


@given(received=st.none() | st.integers() | st.text() | st.builds(object))
def test_what_is_no_message_never_raises(pidbox: Pidbox, received: Any) -> None:
    pidbox.node.receive(received)


@given(body=NEAR | JSON)
def test_what_is_signed_by_a_key_that_may_do_everything_never_raises(pidbox: Pidbox, body: Any) -> None:
    pidbox.node.receive(pidbox.seal("ping", body=json.dumps(body).encode()))
    pidbox.ran.clear()
    pidbox.published.clear()


@given(hdr=st.dictionaries(st.sampled_from(["kind", "request", "worker", "task"]), JSON), key=st.text(max_size=5))
def test_only_what_is_signed_as_a_command_runs(pidbox: Pidbox, hdr: dict[str, Any], key: str) -> None:
    pidbox.ran.clear()
    pidbox.node.receive(pidbox.seal("mine", hdr=hdr, aud=Audience(exchange="celery.pidbox", routing_key=key)))
    assert pidbox.ran == ([("mine", {})] if hdr == {"kind": "command"} and not key else [])
