"""Results as messages: what is said of a task, a chord or a group before it is sealed (section 12 of the spec)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from safecelery.errors import SealError
from safecelery.message.claims import Audience
from safecelery.message.encrypted import ENCRYPTED
from safecelery.message.seal import Draft

__all__ = [
    "CHORD",
    "EXCHANGE",
    "GROUP",
    "MEMBERS",
    "REPLACES",
    "SALT",
    "UNNAMED",
    "Kind",
    "are_members",
    "place_of_result",
    "result_draft",
]

#: The audience of every result: an exchange that there is nowhere, so that no result is ever a task's message (E12.1).
EXCHANGE: Final = "safecelery.results"
#: The name under which a key is granted saved groups (E12.6).
GROUP: Final = "celery.group"
#: The name of a task that whoever says that it failed or was revoked does not know (E12.7).
UNNAMED: Final = "celery.unknown"
#: Header of a task's message that says whose id it runs under: ``{"id": ..., "task": ...}`` (E12.7).
REPLACES: Final = "safecelery_replaces"
Kind = Literal["result", "chord-part", "chord-size", "chord-growth", "group", "operation"]

#: Member of ``hdr`` of what belongs to a chord: the digest of its callback (E12.14).
CHORD: Final = "chord"
#: Option of a chord's callback: makes its digest tell nothing of the arguments. It is not sent along with the callback.
SALT: Final = "safecelery_salt"
#: Kinds that may have that member.
_OF_CHORDS: Final = frozenset({"result", "chord-part", "chord-size", "chord-growth"})
#: Members of ``hdr`` by kind, exactly these, each of its type (E12.2); see :func:`are_members`.
MEMBERS: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    "result": {"kind": (str,), "task": (str,), "id": (str,), "state": (str,)},
    "chord-part": {
        "kind": (str,), "task": (str,), "id": (str,), "group": (str,), "index": (int, type(None)), "state": (str,),
    },
    "chord-size": {"kind": (str,), "group": (str,), "size": (int,)},
    "chord-growth": {"kind": (str,), "group": (str,), "task": (str,), "added": (str,)},
    "group": {"kind": (str,), "group": (str,)},
    "operation": {"kind": (str,), "task": (str,), "id": (str,)},
}  # fmt: skip
#: States that a task without a name may have: they have no value (E12.7).
VALUELESS: Final = frozenset({"FAILURE", "REVOKED"})
#: Content of a result in clear.
_PLAIN: Final = ("application/json", "utf-8")


def are_members(kind: Kind, hdr: Mapping[str, Any]) -> bool:
    """Whether these are the members of that kind, with or without that of a chord (E12.2)."""
    expected = MEMBERS[kind]
    given = hdr.keys() - {CHORD} if kind in _OF_CHORDS else hdr.keys()
    return given == expected.keys() and all(type(hdr[name]) in expected.get(name, (str,)) for name in hdr)


def place_of_result(hdr: Mapping[str, Any]) -> Audience:
    """The audience that belongs to these members: the id of the group, of the task, or of the operation (E12.1)."""
    return Audience(exchange=EXCHANGE, routing_key=hdr["group"] if "group" in hdr else hdr["id"])


def result_draft(
    kind: Kind, body: bytes, *, lifetime_s: float, cmp: str | None = None, encrypted: bool = False, **members: Any
) -> Draft:
    """A result about to be sealed (E12.2).

    Args:
        members: of ``hdr``, beside ``kind``.

    Raises:
        SealError: not the members of that kind; nothing that a reader would believe.
    """
    hdr = {"kind": kind, **members}
    if not are_members(kind, hdr):
        raise SealError(f"a {kind} is described by {', '.join(MEMBERS[kind])}; nothing was stored")
    ct, ce = ENCRYPTED if encrypted else _PLAIN
    return Draft(
        typ="result", aud=place_of_result(hdr), ct=ct, ce=ce, cmp=cmp, hdr=hdr, props={}, body=body,
        lifetime_s=lifetime_s,
    )  # fmt: skip
