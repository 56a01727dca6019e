"""The test vectors of docs/spec: made again they are the same, and this implementation agrees with each."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from safecelery.errors import Reason, Rejected
from safecelery.keys import base64url
from safecelery.keys.ring import Keyring
from safecelery.message.claims import Claims
from safecelery.message.inflate import inflate
from safecelery.message.stages import RawMessage, VerifiedMessage
from safecelery.message.unseal import unseal
from tests.vectors.builder import Key, ring
from tests.vectors.make_vectors import FOLDER, vectors

SPECIFICATION = FOLDER.parent / "envelope-v1.md"
DOCUMENTS = {path.name: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
#: The last of ``unseal``'s reasons cannot be had by any message: it stands for what nobody thought of.
REASONS_OF_UNSEAL = {
    Reason.TOO_LARGE, Reason.ENVELOPE_MISSING, Reason.ENVELOPE_MALFORMED, Reason.VERSION_UNSUPPORTED,
    Reason.TYPE_MISMATCH, Reason.KEY_UNKNOWN, Reason.KEY_EXPIRED, Reason.KEY_REVOKED, Reason.SIGNATURE_INVALID,
    Reason.CLAIMS_MALFORMED, Reason.CONTENT_DISALLOWED, Reason.STALE, Reason.NOT_YET_VALID, Reason.INTERNAL,
}  # fmt: skip


def cases_of(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for group in document["testGroups"]:
        yield from group["tests"]


def every(result: str) -> list[Any]:
    return [
        pytest.param(name, test, id=f"{test['tcId']}-{re.sub('[^a-z0-9]+', '-', test['comment'].lower())}")
        for name, document in DOCUMENTS.items()
        for test in cases_of(document)
        if test["result"] == result
    ]


def trusted(name: str) -> Keyring:
    return ring(
        [
            Key(
                owner=key["owner"], scheme=key["scheme"], secret=base64url.decode(key["secret"]),
                not_before=key["not_before"], expires=key["expires"], revoked=key["revoked"],
            )
            for key in DOCUMENTS[name]["keys"]
        ]
    )  # fmt: skip


def verify(name: str, test: dict[str, Any]) -> VerifiedMessage:
    message = test["message"]
    raw = RawMessage(base64.b64decode(message["body"]), message["headers"], {}, None, None, message["queue"])
    return unseal(
        raw, trusted(name), now=test["now"], max_bytes=test["maxBytes"], max_skew_s=test["maxSkew"],
        expect=test["expect"],
    )  # fmt: skip


def test_made_again_they_are_the_same() -> None:
    assert {name: (FOLDER / name).read_text("utf-8") for name in DOCUMENTS} == vectors()


def test_keys_of_the_documents_are_what_their_ids_say() -> None:
    for name, document in DOCUMENTS.items():
        assert set(trusted(name).trust.keys) == {key["kid"] for key in document["keys"]}


@pytest.mark.parametrize(("name", "test"), every("valid"))
def test_a_valid_one_gives_its_claims_and_body(name: str, test: dict[str, Any]) -> None:
    message = verify(name, test)
    assert message.claims == Claims.from_json(test["claims"])
    assert inflate(message.body, message.claims.cmp, test["maxBytes"]) == base64.b64decode(test["plain"])
    assert message.key.kid == test["claims"]["kid"]


@pytest.mark.parametrize(("name", "test"), every("invalid"))
def test_an_invalid_one_is_refused_for_its_reason(name: str, test: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        verify(name, test)
    assert caught.value.reason == test["reason"], caught.value.detail


def test_every_reason_of_unsealing_has_a_vector() -> None:
    found = {test.get("reason") for document in DOCUMENTS.values() for test in cases_of(document)} - {None}
    assert found == REASONS_OF_UNSEAL - {Reason.INTERNAL}
    source = (FOLDER.parents[2] / "safecelery" / "message" / "unseal.py").read_text("utf-8")
    raised = set(re.findall(r"Reason\.([A-Z_]+)", source)) | {Reason.KEY_EXPIRED.name, Reason.KEY_REVOKED.name}
    assert raised == {reason.name for reason in REASONS_OF_UNSEAL}


def test_numbers_are_unique_and_counted() -> None:
    numbers = [test["tcId"] for document in DOCUMENTS.values() for test in cases_of(document)]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
    for document in DOCUMENTS.values():
        assert document["numberOfTests"] == len(list(cases_of(document)))


def clauses(text: str) -> set[str]:
    return set(re.findall(r"\bE[0-9]+(?:\.[0-9]+)\b", text))


def test_every_clause_that_code_and_vectors_cite_is_in_the_specification() -> None:
    defined = re.findall(r"^\*\*(E[0-9]+\.[0-9]+)\*\*", SPECIFICATION.read_text("utf-8"), re.MULTILINE)
    assert len(defined) == len(set(defined))
    package = FOLDER.parents[2] / "safecelery"
    cited = {path: clauses(path.read_text("utf-8")) for path in package.rglob("*.py")}
    assert {path.name: unknown for path, used in cited.items() if (unknown := used - set(defined))} == {}
    flags = {flag for document in DOCUMENTS.values() for test in cases_of(document) for flag in test["flags"]}
    assert clauses(" ".join(flags)) <= set(defined)
    assert clauses(SPECIFICATION.read_text("utf-8")) <= set(defined)


def test_every_clause_about_bytes_and_verification_is_cited_where_it_is_done() -> None:
    package = FOLDER.parents[2] / "safecelery"
    cited = set().union(*(clauses(path.read_text("utf-8")) for path in (package / "message").glob("*.py")))
    wanted = [f"E{n}" for n in ("1.1", "1.2", "1.3", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6", "3.1", "3.2")]
    assert cited >= {*wanted, *(f"E4.{n}" for n in range(1, 11))}


def test_steps_of_verification_stand_in_the_code_in_the_order_of_the_specification() -> None:
    source = (FOLDER.parents[2] / "safecelery" / "message" / "unseal.py").read_text("utf-8")
    assert re.findall(r"^    # (\d+)\. ", source, re.MULTILINE) == [str(n) for n in range(1, 11)]
    assert re.findall(r"\((E4\.\d+)\)", source) == [f"E4.{n}" for n in range(1, 11)]


def test_every_reason_in_the_specification_exists() -> None:
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", SPECIFICATION.read_text("utf-8")))
    assert {reason.value for reason in Reason} - {"internal", "stale", "replayed", "poison", "undecryptable"} <= named
