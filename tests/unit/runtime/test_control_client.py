"""Who gives a command is told at once what no worker would do, and believes sealed replies alone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from safecelery.errors import Reason, SealError
from safecelery.firewall.control import Question
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message.control import reply_draft
from safecelery.message.seal import HEADER, seal
from safecelery.runtime.control import SafeMailbox
from safecelery.telemetry.control import REPLIES_DROPPED
from tests.unit.runtime.pidboxes import ADDRESS, HOST, Pidbox, a_pidbox, message

QUESTION = {"jti": "q" * 16, **ADDRESS}


@pytest.fixture
def pidbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pidbox:
    return a_pidbox(tmp_path, monkeypatch)


@dataclass
class Connection:
    """Hands out one thing at a time: a callable is called, an exception raised, and then nothing comes any more."""

    events: list[Any] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)
    default_channel: Any = None

    def drain_events(self, timeout: float) -> None:
        self.waited.append(timeout)
        if not self.events:
            raise TimeoutError
        self.events.pop(0)()


def a_mailbox(pidbox: Pidbox, *events: Any) -> SafeMailbox:
    mailbox: SafeMailbox = pidbox.app.control.mailbox(Connection(list(events)))
    return mailbox


def reply(pidbox: Pidbox, body: bytes = b'{"a@host": 1}', **changes: Any) -> Any:
    draft = reply_draft(body, **({"request": "q" * 16, "worker": HOST, **ADDRESS} | changes))
    return message(body, {HEADER: seal(draft, pidbox.app.guard.ring, now=time.time())})


@pytest.mark.parametrize(
    ("arguments", "more", "text"),
    [
        ({"task_id": object()}, {}, "not plain JSON"),
        ({"task_id": {1, 2}}, {}, "not plain JSON"),
        ({}, {"pattern": "a.*", "matcher": "pcre"}, "'pcre' is refused"),
    ],
)
def test_what_no_worker_would_follow_is_not_sent(pidbox: Pidbox, arguments: Any, more: Any, text: str) -> None:
    with pytest.raises(SealError, match=text):
        a_mailbox(pidbox)._broadcast("revoke", arguments, **more)
    assert pidbox.published == []


def test_a_command_beyond_the_own_grants_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pidbox = a_pidbox(tmp_path, monkeypatch, control=["conf"])
    with pytest.raises(SealError, match=r"may not give the command 'ping'; grant it .* \(control = \['ping'\]\)"):
        a_mailbox(pidbox)._broadcast("ping")
    a_mailbox(pidbox)._broadcast("dump_conf")
    assert len(pidbox.published) == 1


def test_who_trusts_nobody_may_command_and_not_ask(pidbox: Pidbox) -> None:
    ring = pidbox.app.guard.ring
    pidbox.app.guard.ring = Keyring(ring.active, TrustStore.empty())
    with pytest.raises(SealError, match="no reply can be verified"):
        a_mailbox(pidbox)._broadcast("ping", reply=True)
    a_mailbox(pidbox)._broadcast("ping")
    assert len(pidbox.published) == 1


def test_celerys_own_way_to_reply_is_closed(pidbox: Pidbox) -> None:
    with pytest.raises(SealError, match="unsigned"):
        a_mailbox(pidbox)._publish_reply({}, "e", "k", "t")


def test_a_sealed_reply_is_believed(pidbox: Pidbox) -> None:
    assert a_mailbox(pidbox)._believed(reply(pidbox), Question(**QUESTION)) == {HOST: 1}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[]", Reason.BODY_MALFORMED),
        (b"{}", Reason.BODY_MALFORMED),
        (b'{"b@host": 1}', Reason.BODY_MALFORMED),
        (b'{"a@host": 1, "b@host": 2}', Reason.BODY_MALFORMED),
        (b"\xff", Reason.BODY_MALFORMED),
        (b"[" * 100_000, Reason.BODY_MALFORMED),
        (b'{"a@host": {"__type__": "datetime", "__value__": "never"}}', Reason.BODY_MALFORMED),
    ],
)
def test_a_body_that_is_not_the_workers_answer(pidbox: Pidbox, body: bytes, reason: Reason) -> None:
    before = REPLIES_DROPPED[reason]
    assert a_mailbox(pidbox)._believed(reply(pidbox, body), Question(**QUESTION)) is None
    assert REPLIES_DROPPED[reason] == before + 1


@pytest.mark.parametrize("received", [None, SimpleNamespace(), message(b"", None), message(object(), {})])
def test_what_is_no_message_breaks_nobody(pidbox: Pidbox, received: Any) -> None:
    before = REPLIES_DROPPED.total()
    assert a_mailbox(pidbox)._believed(received, Question(**QUESTION)) is None
    assert REPLIES_DROPPED.total() == before + 1


def test_garbage_neither_counts_nor_prolongs_the_wait(pidbox: Pidbox) -> None:
    mailbox = a_mailbox(pidbox, *[lambda: time.sleep(0.02)] * 1000)
    started = time.monotonic()
    mailbox._drain([], limit=1, timeout=0.3)
    assert 0.3 <= time.monotonic() - started < 10
    assert mailbox.connection.waited == sorted(mailbox.connection.waited, reverse=True)


def test_the_wait_ends_with_the_last_reply_that_was_wanted_or_with_silence(pidbox: Pidbox) -> None:
    believed: list[dict[str, Any]] = []
    mailbox = a_mailbox(pidbox, *[lambda: believed.append({})] * 3)
    mailbox._drain(believed, limit=2, timeout=5)
    assert len(believed) == 2
    mailbox._drain(believed, limit=None, timeout=5)
    assert len(believed) == 3


def test_a_worker_that_may_not_say_hello_starts_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = a_pidbox(tmp_path, monkeypatch, control=["ping"]).app
    assert app.control.inspect(timeout=0.1).hello(HOST, []) is None
    assert "mingle: other workers were not asked" in caplog.text
