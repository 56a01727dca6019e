"""A case: a directory with a README and a ``case.toml`` that says, as data, what is sent and what must come of it.

::

    [message]               what an honest sender would send
    task, args, kwargs, embed, queue
    signer                  whose key signs: an owner of the stage's keys, or "none"
    [signed]                what the attacker changes before signing with that key
    headers, drop_headers, claims, drop_claims, props
    body                    the body as text or a value of `bodies.py`, instead of [args, kwargs, embed]
    compress                one of gzip, bzip2, lzma; with bomb_mib, a body of that many MiB of zeros
    signature               "hmac-public" or "empty" instead of the key's own
    [other]                 a second message (members of [message]) that the wire operations may take parts of
    [[wire]]                what the attacker does to the sealed message: one operation of `operations.py` each
    [expect]                for _rejected: reason; for _admitted: ran (lines of the witness file), state of the
                            result ("any" does not look), result, request (members of a returned one), delayed_s
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safecelery.errors import Reason
from tests.attacks.bodies import BODIES
from tests.attacks.operations import OPERATIONS

__all__ = ["BROKERS", "CASES", "Case", "CaseError", "load"]

CASES = Path(__file__).parent / "cases"
BROKERS = ("redis", "rabbitmq")
OUTCOMES = ("rejected", "admitted")
#: Owners of keys that the stage has; "none" signs nothing.
SIGNERS = ("full", "limited", "reported", "expired", "revoked", "unknown", "none")

_MESSAGE = {"task", "args", "kwargs", "embed", "queue", "signer"}
_MEMBERS: dict[str, set[str]] = {
    "message": _MESSAGE,
    "other": _MESSAGE,
    "signed": {
        "headers", "drop_headers", "claims", "drop_claims", "props", "body", "compress", "bomb_mib", "signature",
    },
    "rejected": {"reason"},
    "admitted": {"ran", "state", "result", "request", "delayed_s"},
}  # fmt: skip


class CaseError(ValueError):
    """A ``case.toml`` that does not mean anything."""


@dataclass(frozen=True, slots=True)
class Case:
    """One attack, or one honest message as a control."""

    name: str
    outcome: str
    brokers: tuple[str, ...]
    message: Mapping[str, Any]
    signed: Mapping[str, Any]
    other: Mapping[str, Any] | None
    wire: tuple[Mapping[str, Any], ...]
    expect: Mapping[str, Any]
    reason: Reason | None = field(default=None)


def load(directory: Path) -> Case:
    """Read the case of one directory.

    Raises:
        CaseError: anything in it is unknown, missing or wrong.
    """
    return parse((directory / "case.toml").read_text(encoding="utf-8"), directory.name)


def parse(text: str, name: str) -> Case:
    """As :func:`load`, from the text; ``name`` ends in ``_rejected`` or ``_admitted``."""
    outcome = name.rpartition("_")[2]
    if outcome not in OUTCOMES:
        raise CaseError(f"{name}: must end in _rejected or _admitted")
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CaseError(f"{name}: {error}") from None
    _known(name, "the case", document, {"brokers", "message", "signed", "other", "wire", "expect"})
    for part in ("message", "signed", "other"):
        _known(name, part, document.get(part, {}), _MEMBERS[part])
    _check_message(name, document)
    brokers = tuple(document.get("brokers", BROKERS))
    if not brokers or not set(brokers) <= set(BROKERS):
        raise CaseError(f"{name}: brokers are some of {BROKERS}")
    wire = tuple(document.get("wire", ()))
    for step in wire:
        _check_step(name, step)
    return Case(
        name=name,
        outcome=outcome,
        brokers=brokers,
        message=document["message"],
        signed=document.get("signed", {}),
        other=document.get("other"),
        wire=wire,
        expect=_expectation(name, outcome, document),
        reason=_reason(name, document["expect"]) if outcome == "rejected" else None,
    )


def _known(name: str, part: str, table: Any, members: set[str]) -> None:
    if not isinstance(table, dict):
        raise CaseError(f"{name}: {part} is not a table")
    if odd := sorted(table.keys() - members):
        raise CaseError(f"{name}: {part} has unknown {odd}; it takes {sorted(members)}")


def _check_message(name: str, document: Mapping[str, Any]) -> None:
    for part in ("message", "other"):
        if part == "message" or part in document:
            message = document.get(part, {})
            if not {"task", "signer"} <= message.keys() or message["signer"] not in SIGNERS:
                raise CaseError(f"{name}: {part} needs a task, and a signer of {SIGNERS}")
    body = document.get("signed", {}).get("body")
    if isinstance(body, dict) and (len(body) != 1 or next(iter(body)) not in BODIES):
        raise CaseError(f"{name}: a made body is one of {sorted(BODIES)}")


def _check_step(name: str, step: Mapping[str, Any]) -> None:
    operation = OPERATIONS.get(step.get("op", ""))
    if operation is None:
        raise CaseError(f"{name}: unknown operation {step.get('op')!r}; there are {sorted(OPERATIONS)}")
    if step.keys() - {"op"} != set(operation.takes):
        raise CaseError(f"{name}: {step['op']} takes {sorted(operation.takes)}, not {sorted(step.keys() - {'op'})}")


def _expectation(name: str, outcome: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
    expect = document.get("expect")
    if expect is None:
        raise CaseError(f"{name}: expects nothing")
    _known(name, "expect", expect, _MEMBERS[outcome])
    if outcome == "admitted" and not isinstance(expect.get("ran"), list):
        raise CaseError(f"{name}: an admitted message says what ran")
    return expect


def _reason(name: str, expect: Mapping[str, Any]) -> Reason:
    try:
        return Reason(expect.get("reason"))
    except ValueError:
        raise CaseError(f"{name}: {expect.get('reason')!r} is no reason code") from None
