"""Encrypted messages in the chain: grants first, then decryption, then the body; and what must not be in plain text."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from typing import Any

import pytest

from safecelery.errors import Reason, Rejected
from safecelery.firewall import Context, admit, admit_unread
from safecelery.message.encrypted import ENCRYPTED
from safecelery.message.stages import VerifiedMessage, unverified_but_reported, verified
from tests.unit.firewall.messages import a_context, a_key, a_message

GOOD = json.dumps([[1], {}, {}]).encode()


def an_encrypted(body: bytes = b"ciphertext", cmp: str | None = None, **more: Any) -> VerifiedMessage:
    plain = a_message(body=body, cmp=cmp, **more)
    return verified(replace(plain.claims, ct=ENCRYPTED[0], ce=ENCRYPTED[1]), body, plain.key, plain.queue)


def reading(plain: bytes | Rejected, opened: list[bytes] | None = None) -> Context:
    def read(message: VerifiedMessage) -> bytes:
        if opened is not None:
            opened.append(message.body)
        if isinstance(plain, Rejected):
            raise plain
        return plain

    return replace(a_context(), opened=read)


def reason_of(message: Any, context: Context) -> Reason:
    with pytest.raises(Rejected) as caught:
        admit(message, context)
    return caught.value.reason


def test_an_encrypted_message_is_opened_and_admitted_with_its_plain_body() -> None:
    opened: list[bytes] = []
    assert admit(an_encrypted(), reading(GOOD, opened)).plain == GOOD
    assert opened == [b"ciphertext"]


def test_what_is_inside_is_decompressed_within_the_limit() -> None:
    assert admit(an_encrypted(cmp="gzip"), reading(zlib.compress(GOOD))).plain == GOOD
    bomb = zlib.compress(bytes(a_context().limits.max_message_bytes + 1))
    assert reason_of(an_encrypted(cmp="gzip"), reading(bomb)) is Reason.TOO_LARGE


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (an_encrypted(key=a_key(send=())), Reason.TASK_NOT_GRANTED),
        (an_encrypted(key=a_key(queues=())), Reason.QUEUE_NOT_GRANTED),
        (an_encrypted(queue="orders", aud=a_message(queue="other").claims.aud), Reason.AUDIENCE_MISMATCH),
        (an_encrypted(task="shop.unheard"), Reason.TASK_UNKNOWN),
        (an_encrypted(retries=10_000), Reason.RETRIES_OUT_OF_RANGE),
        (an_encrypted(id=7), Reason.CLAIMS_MALFORMED),
    ],
)
def test_nothing_is_opened_for_who_may_not_send_it(message: VerifiedMessage, reason: Reason) -> None:
    opened: list[bytes] = []
    assert reason_of(message, reading(GOOD, opened)) is reason
    assert opened == []


def test_what_cannot_be_opened_is_refused_in_every_mode() -> None:
    failing = reading(Rejected(Reason.UNDECRYPTABLE, "no key"))
    assert reason_of(an_encrypted(), failing) is Reason.UNDECRYPTABLE
    assert reason_of(an_encrypted(), replace(failing, mode="report", encryption_mode="report")) is Reason.UNDECRYPTABLE
    assert reason_of(an_encrypted(), a_context()) is Reason.UNDECRYPTABLE


def test_an_exception_while_opening_is_a_refusal() -> None:
    def fail(message: VerifiedMessage) -> bytes:
        raise RuntimeError("secret text")

    with pytest.raises(Rejected) as caught:
        admit(an_encrypted(), replace(a_context(), opened=fail))
    assert caught.value.reason is Reason.INTERNAL
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("plain", "reason"),
    [
        (b"not json", Reason.BODY_MALFORMED),
        (json.dumps([[], {}, {"callbacks": [{"task": "bank.pay"}]}]).encode(), Reason.CANVAS_NOT_GRANTED),
        (json.dumps([[], {}, {"callbacks": ["shop.charge"]}]).encode(), Reason.BODY_MALFORMED),
    ],
)
def test_the_body_is_checked_once_it_is_open(plain: bytes, reason: Reason) -> None:
    assert reason_of(an_encrypted(), reading(plain)) is reason


def test_report_mode_remembers_objections_of_both_rounds() -> None:
    plain = json.dumps([[], {}, {"callbacks": [{"task": "bank.pay"}]}]).encode()
    context = replace(reading(plain), mode="report")
    objections = admit(an_encrypted(key=a_key(queues=())), context).objections
    assert [objection.reason for objection in objections] == [Reason.QUEUE_NOT_GRANTED, Reason.CANVAS_NOT_GRANTED]


def test_who_cannot_read_can_still_ask_about_everything_else() -> None:
    admit_unread(an_encrypted(), a_context())
    with pytest.raises(Rejected) as caught:
        admit_unread(an_encrypted(key=a_key(send=())), a_context())
    assert caught.value.reason is Reason.TASK_NOT_GRANTED


# Plain text where there should be none ----------------------------------------------------------------------------


def knowing(*tasks: str, mode: Any = "enforce") -> Context:
    registered = ("shop.charge", "celery.map", "celery.group")
    return replace(a_context(registered=registered), must_encrypt=lambda name: name in tasks, encryption_mode=mode)


CALLBACK = [[], {}, {"callbacks": [{"task": "shop.pay", "args": [], "options": {}}]}]
DEEP = [[], {}, {"chain": [{"task": "shop.note", "options": {"link": [{"task": "shop.pay"}]}}]}]


@pytest.mark.parametrize(
    ("message", "tasks"),
    [
        (a_message(), ("shop.charge",)),
        (a_message(body=CALLBACK), ("shop.pay",)),
        (a_message(body=DEEP), ("shop.pay",)),
        (a_message(task="celery.map", body=[[], {"task": {"task": "shop.pay"}, "it": [1]}, {}]), ("shop.pay",)),
    ],
)
def test_plain_text_is_refused_where_the_task_or_one_inside_must_be_encrypted(
    message: VerifiedMessage, tasks: tuple[str, ...]
) -> None:
    assert reason_of(message, knowing(*tasks)) is Reason.NOT_ENCRYPTED
    assert admit(message, knowing("shop.other")).objections == ()
    reported = admit(message, knowing(*tasks, mode="report")).objections
    assert [objection.reason for objection in reported] == [Reason.NOT_ENCRYPTED]


def test_the_firewalls_report_mode_does_not_open_this_door() -> None:
    context = replace(knowing("shop.charge"), mode="report")
    assert reason_of(a_message(), context) is Reason.NOT_ENCRYPTED
    plain = a_message()
    unsigned = unverified_but_reported(plain.claims, plain.body, plain.queue)
    assert reason_of(unsigned, context) is Reason.NOT_ENCRYPTED
    admitted = admit(unsigned, replace(context, encryption_mode="report"))
    assert [objection.reason for objection in admitted.objections] == [Reason.ENVELOPE_MISSING, Reason.NOT_ENCRYPTED]


def test_what_is_encrypted_passes() -> None:
    context = replace(reading(GOOD), must_encrypt=lambda name: True)
    assert admit(an_encrypted(), context).objections == ()
