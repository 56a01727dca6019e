"""A command passes if everything about it is right, and each single thing that is not refuses it."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.errors import Reason, Rejected
from safecelery.firewall.control import Memory, admit_command
from safecelery.message.claims import Audience
from tests.unit.firewall.commands import ADDRESS, a_command, a_command_context, a_commander
from tests.unit.firewall.messages import NOW


def refusal(message: Any, **context: Any) -> Rejected:
    memory = Memory()
    with pytest.raises(Rejected) as caught:
        admit_command(message, a_command_context(memory=memory, **context), NOW)
    assert len(memory) == 0
    return caught.value


def test_a_good_command_passes() -> None:
    command = admit_command(a_command(arguments={"a": 1}), a_command_context(), NOW)
    assert command is not None
    assert (command.method, command.arguments, command.kid) == ("ping", {"a": 1}, "ops-01234567")
    assert (command.ticket, command.reply_key) == (None, None)


def test_a_command_that_wants_replies_says_where_to() -> None:
    command = admit_command(a_command(ticket="t", reply_to=ADDRESS), a_command_context(), NOW)
    assert command is not None
    assert (command.ticket, command.reply_key) == ("t", "caller")


def test_an_older_name_is_the_proper_one() -> None:
    command = admit_command(a_command(method="dump_conf", key=a_commander("conf")), a_command_context(), NOW)
    assert command is not None
    assert command.method == "conf"


@pytest.mark.parametrize(
    "claims",
    [
        {"hdr": {}},
        {"hdr": {"kind": "reply"}},
        {"hdr": {"kind": "command", "more": 1}},
        {"hdr": {"kind": "reply", "request": "x", "worker": "a@host"}},
        {"props": {"reply_to": "x"}},
        {"cmp": "zlib"},
    ],
)
def test_what_is_not_signed_as_a_command(claims: dict[str, Any]) -> None:
    assert refusal(a_command(claims=claims)).reason is Reason.CLAIMS_MALFORMED


@pytest.mark.parametrize(
    "aud",
    [
        Audience(queue="celery.pidbox"),
        Audience(exchange="other.pidbox", routing_key=""),
        Audience(exchange="celery.pidbox", routing_key="x"),
    ],
)
def test_another_place(aud: Audience) -> None:
    assert refusal(a_command(claims={"aud": aud})).reason is Reason.AUDIENCE_MISMATCH


def test_a_lifetime_longer_than_a_commands() -> None:
    refused = refusal(a_command(claims={"exp": int(NOW) + 61}))
    assert refused.reason is Reason.STALE
    assert "60 seconds" in refused.detail


def test_a_command_from_before_this_worker_started() -> None:
    refused = refusal(a_command(claims={"iat": int(NOW) - 1, "exp": int(NOW) + 59}), started=NOW)
    assert refused.reason is Reason.STALE
    assert "before this worker started" in refused.detail
    assert admit_command(a_command(), a_command_context(started=NOW + 0.9), NOW + 1) is not None


@pytest.mark.parametrize(
    "raw",
    [b"", b"\xff", b"[]", b"null", b'"x"', b"{}", b'{"method":"ping"}', b"[" * 100_000, b'{"a":1,"a":1}', b"NaN"],
)
def test_a_body_that_is_no_command(raw: bytes) -> None:
    assert refusal(a_command(raw=raw)).reason is Reason.BODY_MALFORMED


@pytest.mark.parametrize(
    "body",
    [
        {"more": 1},
        {"matcher": ...},
        {"ticket": "t"},
        {"reply_to": ADDRESS},
        {"method": None},
        {"method": ""},
        {"method": ["ping"]},
        {"method": "p\ning"},
        {"method": "x" * 257},
        {"arguments": []},
        {"arguments": None},
        {"destination": "a@host"},
        {"destination": {"a@host": 1}},
        {"destination": [1]},
        {"pattern": "*"},
        {"matcher": "glob"},
        {"pattern": "*", "matcher": "pcre"},
        {"pattern": "*", "matcher": []},
        {"pattern": 3, "matcher": "glob"},
        {"ticket": 3, "reply_to": ADDRESS},
        {"ticket": "t", "reply_to": None},
        {"ticket": "t", "reply_to": []},
        {"ticket": "t", "reply_to": {**ADDRESS, "more": 1}},
        {"ticket": "t", "reply_to": {"exchange": "celery", "routing_key": "x"}},
        {"ticket": "t", "reply_to": {"exchange": "", "routing_key": "celery"}},
        {"ticket": "t", "reply_to": {"exchange": ADDRESS["exchange"], "routing_key": {}}},
    ],
)
def test_members_that_are_missing_unknown_or_of_another_type(body: dict[str, Any]) -> None:
    assert refusal(a_command(**body)).reason is Reason.BODY_MALFORMED


@pytest.mark.parametrize(
    ("body", "obeyed"),
    [
        ({"destination": ["a@host"]}, True),
        ({"destination": ["b@host", "a@host"]}, True),
        ({"destination": []}, True),
        ({"destination": ["b@host"]}, False),
        ({"destination": ["a@hos"]}, False),
        ({"pattern": "a@*", "matcher": "glob"}, True),
        ({"pattern": "A@*", "matcher": "glob"}, False),
        ({"pattern": "b@*", "matcher": "glob"}, False),
        ({"destination": ["b@host"], "pattern": "*", "matcher": "glob"}, False),
    ],
)
def test_a_command_for_others_is_none_of_this_workers_business(body: dict[str, Any], obeyed: bool) -> None:
    memory = Memory()
    command = admit_command(a_command(**body), a_command_context(memory=memory), NOW)
    assert (command is not None) is obeyed
    assert len(memory) == obeyed


@pytest.mark.parametrize("method", ["election", "PING", "ping ", "__class__"])
def test_an_unknown_command(method: str) -> None:
    assert refusal(a_command(method=method)).reason is Reason.COMMAND_UNKNOWN


@pytest.mark.parametrize(("granted", "method"), [("conf", "ping"), ("pin", "ping"), ("dump_conf", "dump_conf")])
def test_a_command_that_its_signer_may_not_give(granted: str, method: str) -> None:
    refused = refusal(a_command(method=method, key=a_commander(granted)))
    assert refused.reason is Reason.COMMAND_NOT_GRANTED


def test_a_command_is_obeyed_once() -> None:
    context = a_command_context()
    assert admit_command(a_command(), context, NOW) is not None
    for later in (0, 30, 59, 69):
        with pytest.raises(Rejected) as caught:
            admit_command(a_command(), context, NOW + later)
        assert caught.value.reason is Reason.COMMAND_REPLAYED
    assert admit_command(a_command(claims={"jti": "k" * 16}), context, NOW) is not None


def test_a_check_that_fails_refuses_and_tells_nothing() -> None:
    class Broken(Memory):
        def remember(self, *args: Any) -> None:
            raise KeyError("4111-1111")

    with pytest.raises(Rejected) as caught:
        admit_command(a_command(), a_command_context(memory=Broken()), NOW)
    refused = caught.value
    assert refused.reason is Reason.INTERNAL
    assert "KeyError" in refused.detail
    assert "4111" not in str(refused)
