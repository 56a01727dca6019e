"""Whether a stored result is what it is read as. The one place where the seals of results are checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from safecelery.errors import Reason, Rejected
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustedKey
from safecelery.message.claims import Claims
from safecelery.message.encrypted import is_encrypted
from safecelery.message.result import GROUP, UNNAMED, VALUELESS, Kind, are_members, place_of_result
from safecelery.message.result_form import take_apart
from safecelery.message.seal import HEADER
from safecelery.message.stages import RawMessage
from safecelery.message.unseal import unseal

__all__ = ["OpenedResult", "Question", "open_result"]

#: Characters of a name or id.
_LONGEST: Final = 1_024


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody reads a stored value as."""

    kind: Kind
    id: str | None = None
    """The id that was asked for: of task, group or operation. ``None`` where the signed one decides who gets it."""
    tasks: Callable[[str], str | None] = lambda _: None
    """The name of the task that was sent with an id, where this process knows it."""
    instead: Callable[[TrustedKey], bool] = lambda _: False
    """Whether a key may say this although it may not answer: who may send a chord may say how large it is."""


@dataclass(frozen=True, slots=True)
class OpenedResult:
    """A result that is believed, but for its signer's right to give it where ``objection`` says so."""

    claims: Claims
    body: bytes
    """Still encrypted and compressed, as the claims say."""
    key: TrustedKey
    objection: Rejected | None = None
    """What refuses it, unless this process is in report mode."""

    @property
    def task(self) -> str:
        """The name that was signed; of groups a name of their own."""
        return str(self.claims.hdr.get("task", GROUP))

    @property
    def id(self) -> str:
        """The signed id: of the task, the group or the operation."""
        return str(self.claims.aud.routing_key)


def open_result(
    stored: bytes | tuple[bytes, Any], question: Question, ring: Keyring, *, now: float, max_bytes: int,
    max_skew_s: float = 60,
) -> OpenedResult:  # fmt: skip
    """Verify a stored value, in this order; the first thing amiss refuses it (section 12 of the spec).

    1. It is no larger than allowed, and in one of the stored forms (E12.3, E12.4).
    2. It is sealed, by section 4, as a result (E12.5).
    3. It has the members of the kind that is asked for, and its audience is its id's (E12.2); nothing but what a task
       came to is encrypted (E12.4).
    4. The id is the one that was asked for (E12.5).
    5. The task is the one that was sent with that id, where that is known (E12.5, E12.7).
    6. Its signer may answer for that task (E12.6).

    Args:
        stored: as it was stored; or body and envelope, where the transport carries them apart (rpc).
        max_bytes: of the body, compressed or not.

    Raises:
        Rejected: and nothing else; an unexpected exception is ``Reason.INTERNAL``. ``ENVELOPE_MISSING``: nobody
            signed it.
    """
    try:
        return _open(stored, question, ring, now, max_bytes, max_skew_s)
    except Rejected:
        raise
    except Exception as error:  # noqa: BLE001  # fail closed
        raise Rejected(Reason.INTERNAL, f"opening a result failed with {type(error).__name__}") from None


def _open(
    stored: bytes | tuple[bytes, Any], question: Question, ring: Keyring, now: float, max_bytes: int, max_skew_s: float
) -> OpenedResult:
    # 1. size and form
    body, envelope = take_apart(stored, max_bytes) if isinstance(stored, bytes) else stored
    # 2. seal
    headers = {} if envelope is None else {HEADER: envelope}
    raw = RawMessage(body, headers, {}, None, None, "")
    message = unseal(raw, ring, now=now, max_bytes=max_bytes, max_skew_s=max_skew_s, expect="result")
    claims = message.claims
    # 3. kind
    _check_members(claims, question.kind)
    # 4. id
    if question.id is not None and claims.aud.routing_key != question.id:
        _refuse(Reason.AUDIENCE_MISMATCH, "sealed as the result of another id")
    # 5. task
    task = str(claims.hdr.get("task", GROUP))
    sent = question.tasks(claims.hdr["id"]) if "id" in claims.hdr else None
    if sent is not None and task not in (sent, UNNAMED):
        _refuse(Reason.RESULT_OF_ANOTHER_TASK, f"sealed as the result of {task!r}, sent was {sent!r}")
    if task == UNNAMED and claims.hdr.get("state", "FAILURE") not in VALUELESS:
        _refuse(Reason.RESULT_OF_ANOTHER_TASK, "a result without the name of its task has a value")
    # 6. grant
    objection, about = None, sent or task
    if not (believes_own(ring, message.key) or message.key.may_answer(about) or question.instead(message.key)):
        objection = Rejected(
            Reason.RESULT_NOT_GRANTED,
            f"key {message.key.kid!r} may not answer for {about!r}, by results = [...] of its entry",
        )
    return OpenedResult(claims, message.body, message.key, objection)


def believes_own(ring: Keyring, key: TrustedKey) -> bool:
    """A service believes itself, whichever of its keys it signed with (E12.6)."""
    return ring.active is not None and ring.active.owner == key.owner


def _check_members(claims: Claims, kind: Kind) -> None:
    hdr = claims.hdr
    if not are_members(kind, hdr):
        _refuse(Reason.CLAIMS_MALFORMED, f"not sealed as a {kind}")
    if hdr["kind"] != kind or claims.props:
        _refuse(Reason.CLAIMS_MALFORMED, f"not sealed as a {kind}")
    if any(isinstance(value, str) and not 0 < len(value) <= _LONGEST for value in hdr.values()):
        _refuse(Reason.CLAIMS_MALFORMED, "a name or an id that is none")
    if claims.aud != place_of_result(hdr):
        _refuse(Reason.AUDIENCE_MISMATCH, "sealed for another place than its id's")
    if is_encrypted(claims) and "id" not in hdr:
        _refuse(Reason.CONTENT_DISALLOWED, "encrypted, though it is no result of a task")


def _refuse(reason: Reason, detail: str) -> NoReturn:
    raise Rejected(reason, detail)
