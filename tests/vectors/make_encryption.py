"""Makes docs/spec/vectors/encryption/*.json. Wraps and nonces are random, so files are made once and only ever checked:

python -m tests.vectors.make_encryption docs/spec/vectors/encryption
"""

from __future__ import annotations

import base64
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from safecelery.keys import base64url
from safecelery.keys.encryption.private import DecryptionKey, make_decryption_key
from safecelery.keys.encryption.schemes import ENCRYPTION_SCHEMES
from safecelery.message.encrypted import MAGIC, Recipient, content_context, head_of, wrap_context

FOLDER = Path(__file__).parents[2] / "docs" / "spec" / "vectors" / "encryption"
PLAIN = b'[["4111 1111 1111 1111"],{},{"callbacks":null,"errbacks":null,"chain":null,"chord":null}]'
WHOLE = {"typ": "task", "task": "shop.pay", "task_id": "t-1"}
_CREATED = datetime(2027, 1, 15, tzinfo=UTC)


def key(owner: str, scheme: str, number: int) -> DecryptionKey:
    secret = bytes((number * 41 + index * 7) % 256 for index in range(32))
    return make_decryption_key(
        scheme=scheme, owner=owner, created=_CREATED, expires=_CREATED + timedelta(days=365), secret=secret,
        where="vectors",
    )  # fmt: skip


def keys_of(scheme: str) -> list[DecryptionKey]:
    return [key("billing", scheme, 1), key("audit", scheme, 2), key("stranger", scheme, 3)]


def wrap(recipient: DecryptionKey, content_key: bytes, **bound: str) -> bytes:
    scheme = ENCRYPTION_SCHEMES[recipient.scheme]
    secret = recipient.secret.reveal()
    wrapper = scheme.wrapper(secret if scheme.symmetric else scheme.public(secret))
    return wrapper.wrap(content_key, wrap_context(scheme=recipient.scheme, kid=recipient.kid, **(WHOLE | bound)))


def container(recipients: list[DecryptionKey], *, plain: bytes = PLAIN, **bound: str) -> bytes:
    content_key = bytes(range(32))
    head = head_of([Recipient(one.kid, wrap(one, content_key, **bound)) for one in recipients])
    nonce = bytes(range(12))
    return head + nonce + AESGCM(content_key).encrypt(nonce, plain, content_context(head, **(WHOLE | bound)))


def changed(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def cases(scheme: str) -> list[tuple[str, str, bytes, dict[str, Any], bytes | None]]:
    """Comment, flags, container, what the receiver knows otherwise, plain text of a valid one."""
    billing, audit, stranger = keys_of(scheme)
    one, both = container([billing]), container([audit, billing])
    head = len(both) - len(PLAIN) - 16 - 12
    wrapped = wrap(billing, bytes(32))
    first = len(MAGIC)
    kid = billing.kid.encode()
    entry = bytes([len(kid)]) + kid + len(wrapped).to_bytes(2, "big") + wrapped
    tail = both[head:]
    return [
        ("for one recipient", "N3.1 N4.2", one, {}, PLAIN),
        ("for two, of whom the receiver is the second", "N3.2 N5.2", both, {}, PLAIN),
        ("an empty body", "N4.2", container([billing], plain=b""), {}, b""),
        ("a result", "N4.3", container([billing], typ="result"), {"typ": "result"}, PLAIN),
        ("for somebody else", "N5.2", container([stranger]), {}, None),
        ("no key at all", "N5.2", one, {"holds": []}, None),
        ("moved to another task", "N4.3", one, {"task": "shop.refund"}, None),
        ("moved to another id", "N4.3", one, {"id": "t-2"}, None),
        ("a body used as a result", "N4.3", one, {"typ": "result"}, None),
        ("task and id shifted into each other", "N4.1 N4.2", one, {"task": "shop.pay 3 t-1", "id": ""}, None),
        ("empty", "N3.4", b"", {}, None),
        ("plain JSON", "N3.1", PLAIN, {}, None),
        ("another version", "N3.1", changed(one, first - 1), {}, None),
        ("no recipients", "N3.3", MAGIC + b"\x00" + tail, {}, None),
        ("a recipient twice", "N3.3", MAGIC + b"\x02" + entry + entry + tail, {}, None),
        ("seventeen recipients", "N3.3", MAGIC + b"\x11" + entry * 17 + tail, {}, None),
        ("more recipients than it says", "N3.4", MAGIC + b"\x01" + both[first + 1 :], {}, None),
        ("fewer recipients than it says", "N3.4", MAGIC + b"\x02" + one[first + 1 :], {}, None),
        ("an id of no length", "N3.2", MAGIC + b"\x01\x00" + entry[1 + len(kid) :] + tail, {}, None),
        ("an id that is no ASCII", "N3.2", MAGIC + b"\x02\x01\xff" + entry[1 + len(kid) :] + entry + tail, {}, None),
        ("a wrap of no length", "N3.2", MAGIC + b"\x01" + bytes([len(kid)]) + kid + b"\0\0" + tail, {}, None),
        ("a wrap that is too long for any", "N3.2",
         MAGIC + b"\x01" + bytes([len(kid)]) + kid + b"\x10\x01" + bytes(4097) + tail, {}, None),
        ("a wrap that is one byte short", "N5.3",
         MAGIC + b"\x01" + bytes([len(kid)]) + kid + (len(wrapped) - 1).to_bytes(2, "big") + wrapped[:-1] + tail,
         {}, None),
        ("a wrap of another message", "N5.3", MAGIC + b"\x01" + entry + one[-len(tail) :], {}, None),
        ("the receiver's wrap changed", "N5.3", changed(one, first + 1 + len(kid) + 10), {}, None),
        ("another's wrap changed", "N5.4", changed(both, first + 1 + len(audit.kid) + 10), {}, None),
        ("a recipient taken away", "N5.4", MAGIC + b"\x01" + both[head - len(entry) :], {}, None),
        ("the recipients in another order", "N5.4",
         MAGIC + b"\x02" + both[head - len(entry) : head] + both[first + 1 : head - len(entry)] + tail, {}, None),
        ("the nonce changed", "N5.4", changed(both, head), {}, None),
        ("the first byte of the ciphertext changed", "N5.4", changed(both, head + 12), {}, None),
        ("the tag changed", "N5.4", changed(both, len(both) - 1), {}, None),
        ("cut by one byte", "N5.4", both[:-1], {}, None),
        ("one byte more", "N5.4", both + b"\0", {}, None),
        ("cut within the recipients", "N3.4", both[: first + 20], {}, None),
        ("cut within the nonce", "N3.4", both[: head + 5], {}, None),
        ("shorter than a tag", "N3.1", both[: head + 12 + 15], {}, None),
    ]  # fmt: skip


def document(scheme: str, start: int) -> dict[str, Any]:
    billing = keys_of(scheme)[0]
    tests = []
    for number, (comment, flags, data, known, plain) in enumerate(cases(scheme), start=start):
        test = {
            "tcId": number, "comment": comment, "flags": flags.split(),
            "holds": [billing.kid], "typ": "task", "task": "shop.pay", "id": "t-1", **known,
            "container": base64.b64encode(data).decode(), "result": "invalid" if plain is None else "valid",
        }  # fmt: skip
        tests.append(test if plain is None else test | {"plain": base64.b64encode(plain).decode()})
    return {
        "specification": "encryption-v1.md",
        "numberOfTests": len(tests),
        "keys": [
            {
                "kid": one.kid, "owner": one.owner, "scheme": one.scheme,
                "secret": base64url.encode(one.secret.reveal()),
                "public": base64url.encode(ENCRYPTION_SCHEMES[scheme].public(one.secret.reveal())),
            }
            for one in keys_of(scheme)
        ],
        "testGroups": [{"comment": f"containers of {scheme}", "tests": tests}],
    }  # fmt: skip


def main(folder: Path) -> None:
    start = 1
    for scheme in ENCRYPTION_SCHEMES:
        made = document(scheme, start)
        start += made["numberOfTests"]
        (folder / f"{scheme}.json").write_text(json.dumps(made, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
