"""A case: a directory with a README and a ``case.toml`` that says, as data, what is sent and what must come of it.

::

    [message]               what an honest sender would send
    task, args, kwargs, embed, queue
    signer                  whose key signs: an owner of the stage's keys, or "none"
    [signed]                what the attacker changes before signing with that key
    headers, drop_headers, claims, drop_claims, props
    body                    the body as text or a value of `bodies.py`, instead of [args, kwargs, embed]
    encrypt                 {to = ["worker"]}: encrypted before it is signed; further members in `ciphertext.py`
    compress                one of gzip, bzip2, lzma; with bomb_mib, a body of that many MiB of zeros
    signature               "hmac-public" or "empty" instead of the key's own
    [other]                 a second message (members of [message]) that the wire operations may take parts of
    [[wire]]                what the attacker does to the sealed message: one operation of `operations.py` each
    [again]                 times: so often the same bytes come again, once the first have run;
                            copies: so many messages of that kind, each with an id of its own
    [[publish]]             what the attacker sends beside the queues: one action of `publishing.py` each
    needs                   capabilities of `capabilities.py` without which the case is skipped
    [expect]                for _rejected: reason, and at_most (runs of a message that did run before);
                            for _admitted: ran (lines of the witness file), state of the result ("any" does not
                            look), result, request (members of a returned one), delayed_s;
                            for _harmless: probes of `probes.py`, what else must be as it was

``_rejected`` and ``_admitted`` say what becomes of one message on a queue; ``_harmless``, that the worker goes on as if
nothing had been sent.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safecelery.errors import Reason
from tests.attacks.bodies import BODIES
from tests.attacks.capabilities import PRESENT, missing
from tests.attacks.ciphertext import MEMBERS as ENCRYPTION
from tests.attacks.operations import OPERATIONS
from tests.attacks.probes import PROBES
from tests.attacks.publishing import ACTIONS

__all__ = ["BROKERS", "CASES", "Case", "CaseError", "load"]

CASES = Path(__file__).parent / "cases"
BROKERS = ("redis", "rabbitmq")
OUTCOMES = ("rejected", "admitted", "harmless")
#: Owners of keys that the stage has; "none" signs nothing.
SIGNERS = ("full", "limited", "reported", "expired", "revoked", "early", "unknown", "none")

_MESSAGE = {"task", "args", "kwargs", "embed", "queue", "signer"}
_MEMBERS: dict[str, set[str]] = {
    "message": _MESSAGE,
    "other": _MESSAGE,
    "signed": {
        "headers", "drop_headers", "claims", "drop_claims", "props", "body", "compress", "bomb_mib", "signature",
        "encrypt",
    },
    "again": {"times", "copies"},
    "rejected": {"reason", "at_most"},
    "admitted": {"ran", "state", "result", "request", "delayed_s"},
    "harmless": {"probes"},
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
    title: str = ""
    """In words: what is sent."""
    reason: str | None = None
    """Value of a ``Reason``; one that is to come, where the case needs what is to come."""
    needs: tuple[str, ...] = ()
    publish: tuple[Mapping[str, Any], ...] = ()
    times: int = 0
    copies: int = 1

    @property
    def honest(self) -> bool:
        """No attack: it shows that the subject works at all."""
        return self.name.startswith("honest_")

    @property
    def lacks(self) -> list[str]:
        """Capabilities that it needs and that are not there yet."""
        return missing(self.needs)


def load(directory: Path) -> Case:
    """Read the case of one directory.

    Raises:
        CaseError: anything in it is unknown, missing or wrong.
    """
    title = (directory / "README.md").read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
    return parse((directory / "case.toml").read_text(encoding="utf-8"), directory.name, title)


def parse(text: str, name: str, title: str = "") -> Case:
    """As :func:`load`, from the text; ``name`` ends in one of ``OUTCOMES``."""
    try:
        return build(tomllib.loads(text), name, title)
    except tomllib.TOMLDecodeError as error:
        raise CaseError(f"{name}: {error}") from None


def build(document: Mapping[str, Any], name: str, title: str = "") -> Case:
    """As :func:`parse`, from what TOML has made of the text."""
    outcome = name.rpartition("_")[2]
    if outcome not in OUTCOMES:
        raise CaseError(f"{name}: must end in one of {OUTCOMES}")
    _known(name, "the case", document, {"brokers", "needs", "wire", "publish", "expect", *_MEMBERS} - {*OUTCOMES})
    for part in ("message", "signed", "other", "again"):
        _known(name, part, document.get(part, {}), _MEMBERS[part])
    _check_message(name, document)
    _known(name, "encrypt", document.get("signed", {}).get("encrypt", {}), ENCRYPTION)
    brokers = tuple(document.get("brokers", BROKERS))
    if not brokers or not set(brokers) <= set(BROKERS):
        raise CaseError(f"{name}: brokers are some of {BROKERS}")
    needs = tuple(document.get("needs", ()))
    if odd := sorted(set(needs) - PRESENT.keys()):
        raise CaseError(f"{name}: needs unknown {odd}; there are {sorted(PRESENT)}")
    wire = tuple(document.get("wire", ()))
    for step in wire:
        _check_step(name, step, "op", OPERATIONS)
    publish = tuple(document.get("publish", ()))
    for step in publish:
        _check_step(name, step, "do", ACTIONS)
    return Case(
        name=name,
        outcome=outcome,
        brokers=brokers,
        message=document.get("message", {}),
        signed=document.get("signed", {}),
        other=document.get("other"),
        wire=wire,
        expect=_expectation(name, outcome, document),
        title=title or name.rpartition("_")[0].replace("_", " "),
        reason=_reason(name, document["expect"], needs) if outcome == "rejected" else None,
        needs=needs,
        publish=publish,
        times=document.get("again", {}).get("times", 0),
        copies=document.get("again", {}).get("copies", 1),
    )


def _known(name: str, part: str, table: Any, members: set[str]) -> None:
    if not isinstance(table, dict):
        raise CaseError(f"{name}: {part} is not a table")
    if odd := sorted(table.keys() - members):
        raise CaseError(f"{name}: {part} has unknown {odd}; it takes {sorted(members)}")


def _check_message(name: str, document: Mapping[str, Any]) -> None:
    if name.endswith("_harmless") and not document.keys() & {"message", "publish"}:
        raise CaseError(f"{name}: sends nothing")
    for part in ("message", "other"):
        if part in document or (part == "message" and not name.endswith("_harmless")):
            message = document.get(part, {})
            if not {"task", "signer"} <= message.keys() or message["signer"] not in SIGNERS:
                raise CaseError(f"{name}: {part} needs a task, and a signer of {SIGNERS}")
    body = document.get("signed", {}).get("body")
    if isinstance(body, dict) and (len(body) != 1 or next(iter(body)) not in BODIES):
        raise CaseError(f"{name}: a made body is one of {sorted(BODIES)}")


def _check_step(name: str, step: Mapping[str, Any], verb: str, known: Mapping[str, Any]) -> None:
    entry = known.get(step.get(verb, ""))
    if entry is None:
        raise CaseError(f"{name}: unknown operation {step.get(verb)!r}; there are {sorted(known)}")
    if step.keys() - {verb} != set(entry.takes):
        raise CaseError(f"{name}: {step[verb]} takes {sorted(entry.takes)}, not {sorted(step.keys() - {verb})}")


def _expectation(name: str, outcome: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
    expect = document.get("expect", {} if outcome == "harmless" else None)
    if expect is None:
        raise CaseError(f"{name}: expects nothing")
    _known(name, "expect", expect, _MEMBERS[outcome])
    if outcome == "admitted" and not isinstance(expect.get("ran"), list):
        raise CaseError(f"{name}: an admitted message says what ran")
    if odd := sorted(set(expect.get("probes", ())) - PROBES.keys()):
        raise CaseError(f"{name}: unknown probes {odd}; there are {sorted(PROBES)}")
    return expect


def _reason(name: str, expect: Mapping[str, Any], needs: tuple[str, ...]) -> str:
    reason = expect.get("reason")
    if not isinstance(reason, str) or (reason not in set(Reason) and not missing(needs)):
        raise CaseError(f"{name}: {reason!r} is no reason code")
    return str(reason)
