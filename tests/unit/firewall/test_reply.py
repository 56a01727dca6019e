"""A reply is believed if it answers this question, from where it was asked, once."""

from __future__ import annotations

from typing import Any

import pytest

from safecelery.errors import Reason, Rejected
from safecelery.firewall.control import admit_reply
from safecelery.message.claims import Audience
from tests.unit.firewall.commands import ADDRESS, a_question, a_reply
from tests.unit.firewall.messages import NOW

HDR = {"kind": "reply", "request": "q" * 16, "worker": "a@host"}


@pytest.mark.parametrize("destination", [(), ("a@host",), ("b@host", "a@host")])
def test_a_good_reply_names_its_worker(destination: tuple[str, ...]) -> None:
    assert admit_reply(a_reply(), a_question(destination=destination)) == "a@host"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"hdr": {"kind": "command"}}, Reason.CLAIMS_MALFORMED),
        ({"hdr": {**HDR, "kind": "command"}}, Reason.CLAIMS_MALFORMED),
        ({"hdr": {**HDR, "more": 1}}, Reason.CLAIMS_MALFORMED),
        ({"hdr": {**HDR, "worker": ["a@host"]}}, Reason.CLAIMS_MALFORMED),
        ({"props": {"reply_to": "x"}}, Reason.CLAIMS_MALFORMED),
        ({"cmp": "zlib"}, Reason.CLAIMS_MALFORMED),
        ({"aud": Audience(queue="caller")}, Reason.AUDIENCE_MISMATCH),
        ({"aud": Audience(exchange=ADDRESS["exchange"], routing_key="other")}, Reason.AUDIENCE_MISMATCH),
        ({"exp": int(NOW) + 61}, Reason.STALE),
        ({"hdr": {**HDR, "request": "r" * 16}}, Reason.REPLY_UNASKED),
        ({"hdr": {**HDR, "request": ["q"]}}, Reason.REPLY_UNASKED),
        ({"hdr": {**HDR, "worker": "b@host"}}, Reason.REPLY_UNASKED),
    ],
)
def test_anything_else_is_not_believed(claims: dict[str, Any], reason: Reason) -> None:
    with pytest.raises(Rejected) as caught:
        admit_reply(a_reply(**claims), a_question(destination=("a@host",)))
    assert caught.value.reason is reason


def test_the_same_reply_counts_once_and_another_of_the_same_name_counts() -> None:
    question = a_question()
    admit_reply(a_reply(), question)
    with pytest.raises(Rejected) as caught:
        admit_reply(a_reply(), question)
    assert caught.value.reason is Reason.COMMAND_REPLAYED
    assert admit_reply(a_reply(jti="k" * 16), question) == "a@host"  # Celery warns of two workers of one name
