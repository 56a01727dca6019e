"""What plain Celery and its ``auth`` have in common: no envelope, no grants, no age, no audience.

A case is about a message of safecelery. Its nearest equivalent here is the same message without the envelope: what the
attacker changes in headers, properties, body, compression and content type stays, what concerns only the envelope goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from celery import Celery

from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer
from tests.attacks.case import Case
from tests.attacks.operations import ENVELOPE, OPERATIONS, Scene, Sent
from tests.attacks.subjects.interface import Do, Lines, Ready, Sealer
from tests.integration.stage import let_go

__all__ = ["StockSealer", "open_stock"]

#: Signers whom a worker of either kind should not listen to at all.
STRANGERS = ("unknown", "expired", "revoked", "early", "none")
#: kombu's own name of a compression (kombu/compression.py), where ours differs.
COMPRESSIONS = {"application/x-bzip2": "application/x-bz2"}
#: Claims that have a counterpart in a message without claims.
CLAIMS = frozenset({"ct", "ce", "cmp"})
_ENVELOPE_ONLY = frozenset({"raw-claims", "take-envelope"})


def _edit_headers(sent: Sent, scene: Scene, given: Mapping[str, Any]) -> None:
    """Where nothing vouches for the headers, they are edited in the open."""
    sent.headers.update(given["claims"]["hdr"])


class StockSealer:
    """Plain Celery: nothing is signed."""

    claims = CLAIMS
    signatures: frozenset[str] = frozenset()
    special: Mapping[str, Do] = {"edit-claims": _edit_headers}

    def kid(self, owner: str) -> str:
        """There are no keys."""
        return owner

    def reduce(self, case: Case) -> Case | None:
        """See the module."""
        signed = dict(case.signed)
        claims = signed.pop("claims", {})
        signed.pop("drop_claims", None)
        signed.pop("encrypt", None)
        if signed.get("signature") not in self.signatures:
            signed.pop("signature", None)
        if kept := {name: value for name, value in claims.items() if name in self.claims}:
            signed["claims"] = kept
        wire = tuple(step for step in case.wire if self._means_something(step))
        changed, left = bool(case.signed or case.wire), bool(signed or wire)
        old = str(claims.get("exp", "")).startswith("$EPOCH-")  # a message long after: it looks like any other here
        if changed and not left and not old and case.message["signer"] not in STRANGERS:
            return None
        return replace(case, signed=signed, wire=wire)

    def _means_something(self, step: Mapping[str, Any]) -> bool:
        operation = step["op"]
        if operation in _ENVELOPE_ONLY or step.get("name") == ENVELOPE:
            return operation in self.special and step.get("name") != ENVELOPE
        if operation == "edit-claims":
            return "hdr" in step["claims"]
        return operation != "flip-byte" or step["of"] == "body" or (step["of"] == "signature" and self.signs)

    signs = False

    def operation(self, step: Mapping[str, Any]) -> Do:
        """The table's, or this subject's own."""
        return self.special.get(step["op"], OPERATIONS[step["op"]].do)

    def inside(self, sent: Sent, signer: str, signed: Mapping[str, Any]) -> None:
        """The claims that say how to read the body are plain properties here."""
        claims = signed.get("claims", {})
        sent.content_type = claims.get("ct", sent.content_type)
        sent.content_encoding = claims.get("ce", sent.content_encoding)

    def outside(self, sent: Sent, signer: str, signed: Mapping[str, Any], compression: str | None) -> None:
        """Compression is said in a header."""
        if (kind := signed.get("claims", {}).get("cmp", compression)) is not None:
            sent.headers["compression"] = COMPRESSIONS.get(kind, kind)

    def control(self, body: bytes, signer: str) -> Sent:
        """Unsigned, as everything."""
        return Sent(body, {"clock": 1, "expires": 0}, {}, "")


@contextmanager
def open_stock(lines: Lines, variant: str, sealer: Sealer, extra: Mapping[str, str]) -> Iterator[Ready]:
    """A worker of ``service.stock`` and an app that reads its results."""
    environment = {
        "STOCK_VARIANT": variant,
        "STOCK_BROKER": lines.broker_url,
        "STOCK_RESULTS": lines.results_url,
        "STOCK_CA": str(lines.broker.ca_file),
        "STOCK_QUORUM": "1" if isinstance(lines.broker, RabbitServer) else "",
        "SERVICE_WITNESS": str(lines.witness_file),
        **extra,
    }

    def make_worker() -> CeleryProcess:
        return CeleryProcess(
            "service.stock", "worker", ["-c", "2", "-Q", "orders,other", "-n", "attacked@%h"],
            directory=lines.directory, env=environment, name=f"{variant}-worker",
        )  # fmt: skip

    app = Celery("honest", broker="memory://", backend=lines.results_url, set_as_current=False)
    app.conf.update(redis_backend_use_ssl=lines.results.broker_ssl)
    try:
        yield Ready(make_worker, app, sealer)
    finally:
        let_go(app)
