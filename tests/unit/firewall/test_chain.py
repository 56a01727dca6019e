"""The chain lets through what every check accepts, and fails closed in every other case."""

from __future__ import annotations

import json
import zlib
from typing import Any

import pytest

from safecelery.errors import Reason, Rejected
from safecelery.firewall import Body, Context, admit
from safecelery.firewall.checks import CHECKS
from safecelery.message.stages import VerifiedMessage
from tests.unit.firewall.messages import a_context, a_message

SECRET = "4111-1111"


def refusal(message: VerifiedMessage, checks: Any = CHECKS) -> Rejected:
    with pytest.raises(Rejected) as caught:
        admit(message, a_context(), checks)
    return caught.value


def test_a_good_message_is_admitted_with_its_plain_body() -> None:
    message = a_message(body=[[1], {"a": 2}, {}])
    admitted = admit(message, a_context())
    assert admitted.verified is admitted.message is message
    assert admitted.objections == ()
    assert json.loads(admitted.plain) == [[1], {"a": 2}, {}]


def test_a_compressed_body_is_inflated_once_for_all() -> None:
    plain = json.dumps([[1], {}, None]).encode()
    assert admit(a_message(body=zlib.compress(plain), cmp="application/x-gzip"), a_context()).plain == plain


def test_an_empty_chain_admits_nothing() -> None:
    assert refusal(a_message(), ()).reason is Reason.INTERNAL


@pytest.mark.parametrize("error", [ValueError(SECRET), KeyError(SECRET), RecursionError(), TypeError(), MemoryError()])
def test_a_check_that_fails_refuses_and_tells_nothing_of_the_message(error: Exception) -> None:
    def failing(message: VerifiedMessage, body: Body, context: Context) -> None:
        raise error

    refused = refusal(a_message(), (failing,))
    assert refused.reason is Reason.INTERNAL
    assert type(error).__name__ in refused.detail
    assert SECRET not in str(refused)
    assert refused.__cause__ is None


def test_the_first_objection_decides_and_later_checks_are_not_asked() -> None:
    asked: list[str] = []

    def first(message: VerifiedMessage, body: Body, context: Context) -> None:
        asked.append("first")
        raise Rejected(Reason.STALE)

    def second(message: VerifiedMessage, body: Body, context: Context) -> None:
        asked.append("second")

    assert refusal(a_message(), (first, second)).reason is Reason.STALE
    assert asked == ["first"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"not json", b"\xff", b"null", b"[]", b"[[], {}]", b"[[], {}, {}, {}]", b'{"args": []}', b"[{}, [], {}]",
        b"[[], [], {}]", b'["x", {}, {}]', b"[[], {}, []]", b"[[], {}, 1]", b"[" * 100_000,
    ],
)  # fmt: skip
def test_a_body_that_is_not_of_protocol_2(body: bytes) -> None:
    refused = refusal(a_message(body=body))
    assert refused.reason is Reason.BODY_MALFORMED


def test_every_check_is_in_the_table_once() -> None:
    names = [check.__name__ for check in CHECKS]  # type: ignore[attr-defined]
    assert len(names) == len(set(names))
    assert names[:2] == ["sizes", "shape"], "the others rely on the lengths and types that these have seen"


@pytest.mark.parametrize(
    "body",
    [
        b"[[" + b"[" * 101 + b"]" * 101 + b"], {}, {}]",
        b'[[], {"a": ' + b'{"b": ' * 101 + b"1" + b"}" * 101 + b"}, {}]",
        b'[[], {"__type__": "datetime", "__value__": "2027-01-01"}, {}]',
    ],
    ids=["lists", "objects", "keyword arguments in disguise"],
)
def test_a_body_that_is_nested_too_deeply_or_disguised(body: bytes) -> None:
    assert refusal(a_message(body=body)).reason is Reason.BODY_MALFORMED


def test_arguments_that_only_look_tagged_are_arguments() -> None:
    body = [[{"__type__": 1}], {"__type__": 1, "__value__": 2, "more": 3}, {}]
    assert json.loads(admit(a_message(body=body), a_context()).plain) == body
