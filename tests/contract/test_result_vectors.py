"""The test vectors of results: made again they are the same, and this implementation agrees with each."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from safecelery.errors import Rejected
from safecelery.keys import base64url
from safecelery.message.result_open import Question, open_result
from tests.vectors.builder import Key
from tests.vectors.make_results import RESULTS, ring_of, vectors

DOCUMENT = json.loads((RESULTS / "results.json").read_text("utf-8"))
TESTS = [test for group in DOCUMENT["testGroups"] for test in group["tests"]]
RING = ring_of(
    [
        Key(
            owner=key["owner"], scheme=key["scheme"], secret=base64url.decode(key["secret"]),
            not_before=key["not_before"], expires=key["expires"], revoked=key["revoked"],
        )
        for key in DOCUMENT["keys"]
    ]
)  # fmt: skip


def test_made_again_they_are_the_same() -> None:
    assert {path.name: path.read_text("utf-8") for path in RESULTS.glob("*.json")} == vectors()
    assert DOCUMENT["numberOfTests"] == len(TESTS)


@pytest.mark.parametrize("test", TESTS, ids=lambda test: f"{test['tcId']}-{test['comment'].replace(' ', '-')}")
def test_a_vector(test: dict[str, Any]) -> None:
    asked = test["asked"]
    question = Question(asked["kind"], asked["id"], tasks=lambda _: asked["task"])
    stored = base64.b64decode(test["stored"])
    reason = None
    try:
        found = open_result(
            stored, question, RING, now=test["now"], max_bytes=test["maxBytes"], max_skew_s=test["maxSkew"]
        )
        reason = found.objection.reason.value if found.objection else None
    except Rejected as refusal:
        reason = refusal.reason.value
    assert reason == test.get("reason")
    assert (reason is None) == (test["result"] == "valid")
