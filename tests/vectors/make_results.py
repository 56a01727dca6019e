"""Make docs/spec/vectors/results/*.json again: ``python -m tests.vectors.make_results``. The same every time."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from safecelery.message.claims import Audience, Claims
from safecelery.message.pae import pae
from safecelery.message.result_form import join_stored
from tests.vectors.builder import JTI, NOW, SKEW, Family, Key, envelope
from tests.vectors.make_vectors import FOLDER

__all__ = ["RESULTS", "ring_of", "vectors"]

RESULTS = FOLDER / "results"
MOST = 2_000
FAMILY = Family("hmac-sha256")
#: Owner -> tasks for which its key may answer. The reader is ``web``.
ANSWERS = {"web": (), "batch": ("shop.*",), "revoked": ("shop.*",)}
BODY = b'{"status": "SUCCESS", "result": 3, "traceback": null, "children": [], "task_id": "t-1"}'
PART = b'[1, "t-1", "SUCCESS", 3]'
CHORD = "5f" * 32
HDR = {"kind": "result", "task": "shop.add", "id": "t-1", "state": "SUCCESS"}
PART_HDR = {"kind": "chord-part", "task": "shop.add", "id": "t-1", "state": "SUCCESS", "group": "g-1", "index": 0}


@dataclass(frozen=True, kw_only=True)
class ResultCase:
    """One test. Without a reason it is believed."""

    comment: str
    flags: str
    reason: str | None = None
    key: str = "batch"
    hdr: dict[str, Any] = field(default_factory=lambda: dict(HDR))
    body: bytes = BODY
    container: bool = False
    asked: dict[str, Any] = field(default_factory=lambda: {"kind": "result", "id": "t-1", "task": None})
    claims: dict[str, Any] = field(default_factory=dict)
    stored: bytes | None = None
    change: tuple[bytes, bytes] | None = None
    now: int = NOW

    def value(self) -> bytes:
        """As it is stored."""
        if self.stored is not None:
            return self.stored
        key = FAMILY.key(self.key)
        place = self.hdr.get("id") if self.hdr["kind"] == "result" else self.hdr.get("group")
        members: dict[str, Any] = {
            "typ": "result", "kid": key.kid, "iat": NOW, "exp": NOW + 600, "jti": JTI,
            "aud": Audience(exchange="safecelery.results", routing_key=str(place)), "ct": "application/json",
            "ce": "utf-8", "cmp": None, "hdr": self.hdr, "props": {}, **self.claims,
        }  # fmt: skip
        data = Claims(**members).to_bytes()
        sealed = envelope(data, key.sign(pae(members["typ"], data, self.body)))
        stored = sealed.encode() if not self.body else join_stored(self.body, sealed, container=self.container)
        return stored.replace(*self.change) if self.change else stored

    def as_json(self, number: int) -> dict[str, Any]:
        """One entry of the file."""
        outcome = {"result": "valid"} if self.reason is None else {"result": "invalid", "reason": self.reason}
        return {
            "tcId": number, "comment": self.comment, "flags": self.flags.split(), "now": self.now, "maxBytes": MOST,
            "maxSkew": SKEW, "asked": self.asked, "stored": base64.b64encode(self.value()).decode(), **outcome,
        }  # fmt: skip


def ring_of(keys: list[Key]) -> Keyring:
    """A trust store with the grants of the vectors."""
    trusted = (replace(key.trusted(), results=ANSWERS.get(key.owner, ())) for key in keys)
    return Keyring(None, TrustStore({key.kid: key for key in trusted}))


def _believed() -> Iterator[ResultCase]:
    yield ResultCase(comment="a result", flags="E12.2 E12.3")
    yield ResultCase(comment="of the task that was sent", flags="E12.5", asked={**_ASKED, "task": "shop.add"})
    yield ResultCase(comment="whoever waits for the signed id", flags="E12.5", asked={**_ASKED, "id": None})
    yield ResultCase(comment="in a container", flags="E12.4", container=True)
    yield ResultCase(comment="a body that ends like a splice", flags="E12.3",
                     body=b'{"status": "SUCCESS", "result": null, "safecelery": "a.b"}')  # fmt: skip
    yield ResultCase(comment="a part of a chord", flags="E12.2 E12.3", hdr=PART_HDR, body=PART, asked=_PART)
    yield ResultCase(comment="a part without a place", flags="E12.2", hdr={**PART_HDR, "index": None}, body=PART,
                     asked=_PART)  # fmt: skip
    yield ResultCase(comment="a part with its chord", flags="E12.2 E12.14", hdr={**PART_HDR, "chord": CHORD}, body=PART,
                     asked=_PART)  # fmt: skip
    yield ResultCase(comment="a result that is for a chord", flags="E12.2 E12.14", hdr={**HDR, "chord": CHORD})
    yield ResultCase(comment="a failure without a name", flags="E12.7",
                     hdr={**HDR, "task": "celery.unknown", "state": "REVOKED"},
                     asked={**_ASKED, "task": "shop.add"})  # fmt: skip


_ASKED: dict[str, Any] = {"kind": "result", "id": "t-1", "task": None}
_PART: dict[str, Any] = {"kind": "chord-part", "id": "g-1", "task": None}


def _refused() -> Iterator[ResultCase]:
    def case(comment: str, flags: str, reason: str, **more: Any) -> ResultCase:
        return ResultCase(comment=comment, flags=flags, reason=reason, **more)

    yield case("nobody signed it", "E12.5", "envelope-missing", stored=BODY)
    yield case("larger than allowed", "E12.5", "too-large", stored=b" " * 20_000)
    yield case("a body larger than allowed", "E12.5", "too-large",
               body=b'{"status": "SUCCESS", "result": "%b"}' % (b"x" * MOST))  # fmt: skip
    yield case("a container without an end", "E12.4", "envelope-malformed", stored=b"\0safecelery\0abc")
    yield case("an envelope that is none", "E12.3", "envelope-malformed", stored=BODY[:-1] + b', "safecelery": "abc"}')
    yield case("a changed value", "E12.5", "signature-invalid", change=(b'"result": 3', b'"result": 4'))
    yield case("a member more", "E12.3", "signature-invalid", change=(b'{"status"', b'{"x": 1, "status"'))
    yield case("a splice with another blank", "E12.3", "envelope-missing",
               change=(b', "safecelery": "', b',  "safecelery": "'))  # fmt: skip
    yield case("a revoked key", "E12.5", "key-revoked", key="revoked")
    yield case("an unknown key", "E12.5", "key-unknown", key="stranger")
    yield case("past its lifetime", "E12.5", "stale", now=NOW + 600)
    yield case("signed as a task", "E12.5", "type-mismatch", claims={"typ": "task"})
    yield case("a part read as a result", "E12.5", "claims-malformed", hdr=PART_HDR, body=PART,
               asked={**_ASKED, "id": "g-1"})  # fmt: skip
    yield case("a result read as a part", "E12.5", "claims-malformed", asked={**_PART, "id": "t-1"})
    yield case("a member of hdr more", "E12.2", "claims-malformed", hdr={**HDR, "more": 1})
    yield case("a chord that is no text", "E12.2", "claims-malformed", hdr={**HDR, "chord": None})
    yield case("a chord without a name", "E12.2", "claims-malformed", hdr={**HDR, "chord": ""})
    yield case("a group with a chord", "E12.2", "claims-malformed",
               hdr={"kind": "group", "group": "g-1", "chord": CHORD}, body=b'{"result": null}',
               asked={"kind": "group", "id": "g-1", "task": None})  # fmt: skip
    yield case("an index that is true", "E12.2", "claims-malformed", hdr={**PART_HDR, "index": True}, body=PART,
               asked=_PART)  # fmt: skip
    yield case("properties", "E12.2", "claims-malformed", claims={"props": {"reply_to": "x"}})
    yield case("an audience of another id", "E12.1", "audience-mismatch",
               claims={"aud": Audience(exchange="safecelery.results", routing_key="t-2")})  # fmt: skip
    yield case("an audience of another exchange", "E12.1", "audience-mismatch",
               claims={"aud": Audience(exchange="results", routing_key="t-1")})  # fmt: skip
    yield case("of another id", "E12.5", "audience-mismatch", asked={**_ASKED, "id": "t-2"})
    yield case("of another task", "E12.5", "result-of-another-task", asked={**_ASKED, "task": "shop.pay"})
    yield case("a value without a name", "E12.7", "result-of-another-task", hdr={**HDR, "task": "celery.unknown"})
    yield case("by who may not answer", "E12.6", "result-not-granted", key="web")
    yield case("for a task that is not granted", "E12.6", "result-not-granted", hdr={**HDR, "task": "billing.pay"})


def vectors() -> dict[str, str]:
    """Name of each file -> its text."""
    groups = (("believed", _believed()), ("refused", _refused()))
    numbers = iter(range(1, 10_000))
    made = [{"comment": name, "tests": [case.as_json(next(numbers)) for case in cases]} for name, cases in groups]
    keys = [FAMILY.key(owner) for owner in ("web", "batch", "revoked")]
    document = {
        "specification": "envelope-v1.md",
        "numberOfTests": sum(len(group["tests"]) for group in made),
        "keys": [{**key.as_json(), "results": list(ANSWERS[key.owner])} for key in keys],
        "testGroups": made,
    }
    return {"results.json": json.dumps(document, indent=1, ensure_ascii=True) + "\n"}


def main() -> None:
    """Write the files."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name, text in vectors().items():
        (RESULTS / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
