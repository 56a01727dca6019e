"""The test vectors of docs/spec/encryption-v1.md: this implementation agrees with each."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from safecelery.errors import Reason, Rejected
from safecelery.keys import base64url
from safecelery.keys.encryption.private import DecryptionKey, make_decryption_key
from safecelery.keys.encryption.ring import DecryptionKeys
from safecelery.keys.encryption.schemes import ENCRYPTION_SCHEMES
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message.cipher import Cipher
from tests.vectors.make_encryption import FOLDER, cases

SPECIFICATION = FOLDER.parents[1] / "encryption-v1.md"
PACKAGE = FOLDER.parents[3] / "safecelery"
DOCUMENTS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}
_CREATED = datetime(2027, 1, 15, tzinfo=UTC)


def listed(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [test for group in document["testGroups"] for test in group["tests"]]


def every(result: str) -> list[Any]:
    return [
        pytest.param(scheme, test, id=f"{scheme}-{re.sub('[^a-z0-9]+', '-', test['comment'].lower())}")
        for scheme, document in DOCUMENTS.items()
        for test in listed(document)
        if test["result"] == result
    ]


def keys_of(scheme: str) -> dict[str, DecryptionKey]:
    return {
        key["kid"]: make_decryption_key(
            scheme=key["scheme"], owner=key["owner"], created=_CREATED, expires=_CREATED + timedelta(days=1),
            secret=base64url.decode(key["secret"]), where=scheme,
        )
        for key in DOCUMENTS[scheme]["keys"]
    }  # fmt: skip


def decrypt(scheme: str, test: dict[str, Any]) -> bytes:
    private = DecryptionKeys()
    private._keys = {kid: key for kid, key in keys_of(scheme).items() if kid in test["holds"]}
    cipher = Cipher(Keyring(None, TrustStore.empty()), private)
    data = base64.b64decode(test["container"])
    return cipher.decrypt(data, typ=test["typ"], task=test["task"], task_id=test["id"])


def test_each_scheme_has_a_file_with_the_same_cases() -> None:
    assert DOCUMENTS.keys() == ENCRYPTION_SCHEMES.keys()
    for scheme, document in DOCUMENTS.items():
        assert [test["comment"] for test in listed(document)] == [case[0] for case in cases(scheme)]
        assert document["numberOfTests"] == len(listed(document))
    numbers = [test["tcId"] for document in DOCUMENTS.values() for test in listed(document)]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("scheme", DOCUMENTS)
def test_ids_and_public_parts_are_those_of_the_secrets(scheme: str) -> None:
    for key in DOCUMENTS[scheme]["keys"]:
        assert keys_of(scheme)[key["kid"]].kid == key["kid"]
        assert ENCRYPTION_SCHEMES[scheme].public(base64url.decode(key["secret"])) == base64url.decode(key["public"])


@pytest.mark.parametrize(("scheme", "test"), every("valid"))
def test_a_valid_one_opens(scheme: str, test: dict[str, Any]) -> None:
    assert decrypt(scheme, test) == base64.b64decode(test["plain"])


@pytest.mark.parametrize(("scheme", "test"), every("invalid"))
def test_an_invalid_one_is_refused(scheme: str, test: dict[str, Any]) -> None:
    with pytest.raises(Rejected) as caught:
        decrypt(scheme, test)
    assert caught.value.reason is Reason.UNDECRYPTABLE


def clauses(text: str) -> set[str]:
    return set(re.findall(r"\bN[0-9]+\.[0-9]+\b", text))


def test_every_clause_that_code_and_vectors_cite_is_in_the_specification() -> None:
    text = SPECIFICATION.read_text("utf-8")
    defined = re.findall(r"^\*\*(N[0-9]+\.[0-9]+)\*\*", text, re.MULTILINE)
    assert len(defined) == len(set(defined))
    code = "".join(path.read_text("utf-8") for path in PACKAGE.rglob("*.py"))
    flags = {flag for document in DOCUMENTS.values() for test in listed(document) for flag in test["flags"]}
    assert clauses(code) | flags | clauses(text) <= set(defined)
    assert clauses(code) >= {"N1.1", "N2.2", "N2.3", "N2.4", "N3.1", "N3.2", "N3.3", "N4.1", "N4.2", "N5.1", "N5.4"}


def test_steps_of_decryption_stand_in_the_code_in_the_order_of_the_specification() -> None:
    source = (PACKAGE / "message" / "cipher.py").read_text("utf-8")
    assert re.findall(r"^        # (\d+)\. ", source, re.MULTILINE) == [str(n) for n in range(1, 5)]
    assert re.findall(r"\((N5\.\d+)\)", source) == [f"N5.{n}" for n in range(1, 5)]
