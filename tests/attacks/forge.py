"""Making the messages of a case: in a subject's manner, by whoever's key, with whatever in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from celery import Celery

from tests.attacks.bodies import BODIES, compressed, compressed_zeros
from tests.attacks.case import Case
from tests.attacks.operations import ENVELOPE, Scene, Sent
from tests.attacks.placeholders import Resolver
from tests.attacks.subjects.interface import Sealer

__all__ = ["Forger"]


class Forger:
    """Makes the message of one case.

    Args:
        app: any app; lends Celery's own message format.
        sealer: signs in the subject's manner.
        witness: file that hostile bodies try to write to.
        case: what to make.
    """

    def __init__(self, app: Celery, sealer: Sealer, witness: Path, case: Case) -> None:
        self._app = app
        self._sealer = sealer
        self._witness = witness
        self._case = case
        self.canary = f"canary{uuid4().hex}"
        self.id = str(uuid4())
        self._other_id = str(uuid4())

    def message(self) -> Sent:
        """The message as it goes over the wire."""
        case, names = self._case, self._names()
        resolve = Resolver(names, self._sealer.kid)
        sent = self._sealed(resolve(case.message), resolve(case.signed), self.id)
        other = None if case.other is None else self._sealed(resolve(case.other), {}, self._other_id)
        names["ENVELOPE"] = sent.headers.get(ENVELOPE, "")
        if other is not None:
            names["OTHER_ENVELOPE"] = other.headers.get(ENVELOPE, "")
        scene = Scene(other, self._make_body)
        for step in case.wire:
            self._sealer.operation(step)(sent, scene, resolve(step))
        return sent

    def resolve(self, value: Any) -> Any:
        """Placeholders in an expectation, or in an action."""
        return Resolver(self._names(), self._sealer.kid)(value)

    def _names(self) -> dict[str, str]:
        return {"CANARY": self.canary, "ID": self.id, "OTHER_ID": self._other_id}

    def _make_body(self, kind: str, value: Any) -> bytes:
        return BODIES[kind](value, self._witness, self.canary)

    def _sealed(self, message: Mapping[str, Any], signed: Mapping[str, Any], task_id: str) -> Sent:
        honest = self._app.amqp.as_task_v2(
            task_id, message["task"], args=message.get("args", []), kwargs=message.get("kwargs", {})
        )
        headers = {**honest.headers, **signed.get("headers", {})}
        headers = {name: value for name, value in headers.items() if name not in signed.get("drop_headers", ())}
        props = {"correlation_id": task_id, "priority": 0, **signed.get("props", {})}
        sent = Sent(self._body(message, signed), headers, props, message.get("queue", "orders"))
        self._sealer.inside(sent, message["signer"], signed)
        compression = None
        if kind := signed.get("compress"):
            bomb = "bomb_mib" in signed
            sent.body = compressed_zeros(kind, signed["bomb_mib"]) if bomb else compressed(kind, sent.body)
            compression = f"application/x-{kind}"
        self._sealer.outside(sent, message["signer"], signed, compression)
        return sent

    def _body(self, message: Mapping[str, Any], signed: Mapping[str, Any]) -> bytes:
        given = signed.get("body")
        if isinstance(given, dict):
            ((kind, value),) = given.items()
            return self._make_body(kind, value)
        if given is not None:
            return bytes(given.encode())
        embed = {"callbacks": None, "errbacks": None, "chain": None, "chord": None, **message.get("embed", {})}
        return json.dumps([message.get("args", []), message.get("kwargs", {}), embed]).encode()
