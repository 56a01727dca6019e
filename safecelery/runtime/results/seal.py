"""Sealing and opening results with an app's keys: what every backend of the table is built on."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, Literal

from kombu.compression import compress
from kombu.utils.json import loads

from safecelery.errors import Reason, Rejected, ResultTooLarge
from safecelery.keys.ring import Keyring
from safecelery.message.encrypted import is_encrypted
from safecelery.message.inflate import inflate
from safecelery.message.result import UNNAMED, Kind, result_draft
from safecelery.message.result_form import join_stored
from safecelery.message.result_open import OpenedResult, Question, open_result
from safecelery.message.seal import seal
from safecelery.redis_replies import Oversized
from safecelery.runtime.guard import guard_of
from safecelery.runtime.results.claims import CLAIM, ClaimPlace, place_of
from safecelery.runtime.results.exceptions import named
from safecelery.runtime.results.unsigned import unsigned_body
from safecelery.telemetry.results import ResultNotBelieved, result_refused

__all__ = ["Opened", "ResultSeal", "Where"]

Where = Literal["stored", "published", "replied"]


_TRUSTS_NOBODY: Final = (
    "this process trusts no key, so it can believe no result; set SAFECELERY_SIGNING__TRUST_FILE to a file that names "
    "the workers' keys and what they may answer for (results = [...])"
)


@dataclass(frozen=True, slots=True)
class Opened:
    """A value that is believed."""

    value: Any
    """The JSON that was sealed."""
    task: str
    id: str
    """The signed id, of the task or of the group; of an unsigned one that report mode takes, the one asked for."""
    members: dict[str, Any]
    """What was signed of it (``hdr``); empty for an unsigned one."""
    encrypted: bool = False


class ResultSeal:
    """One for each backend of a hardened app."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.guard = guard_of(app)
        self.settings = self.guard.settings.results

    @property
    def ring(self) -> Keyring:
        """The app's keys as they are now."""
        return self.guard.ring

    @property
    def reports(self) -> bool:
        """This process believes unsigned results."""
        return self.settings.mode == "report"

    @cached_property
    def allowed(self) -> dict[str, type[Exception]]:
        """The classes of the setting ``results.exceptions``."""
        return named(self.settings.exceptions)

    @cached_property
    def place(self) -> ClaimPlace | None:
        """Where results go that are too large for the store."""
        return place_of(self.settings)

    def encrypts(self, task: str | None) -> bool:
        """Whether results of this task are encrypted. What is said of a group is no task's."""
        return task is not None and self.guard.cipher.must_encrypt(task)

    # Sealing ---------------------------------------------------------------------------------------------------

    def bound(
        self, kind: Kind, body: bytes, *, lifetime_s: float, compression: str | None = None, secret: bool = False,
        **members: Any,
    ) -> tuple[bytes, str]:  # fmt: skip
        """The body as it is stored, and its envelope: for a transport that carries both apart.

        Args:
            secret: it is encrypted, even if the task of that name need not be.

        Raises:
            ResultTooLarge: more bytes than any reader would take.
            SealError: no key, or nothing that can be sealed.
        """
        if len(body) > self.settings.max_bytes:
            raise ResultTooLarge(f"{len(body)} bytes, results.max_bytes allows {self.settings.max_bytes}")
        cmp = None
        if compression is not None:
            body, cmp = compress(body, compression)
        task = members.get("task")
        encrypted = secret or self.encrypts(task)
        if encrypted:
            body = self.guard.cipher.encrypt(body, typ="result", task=str(task), task_id=str(members["id"]), queue=None)
            if len(body) > self.settings.max_bytes:
                raise ResultTooLarge(
                    f"{len(body)} bytes when encrypted, results.max_bytes allows {self.settings.max_bytes}"
                )
        draft = result_draft(kind, body, lifetime_s=lifetime_s, cmp=cmp, encrypted=encrypted, **members)
        return body, seal(draft, self.ring, now=time.time())

    def stored(
        self, kind: Kind, body: bytes, *, lifetime_s: float, compression: str | None = None, secret: bool = False,
        **members: Any,
    ) -> bytes:  # fmt: skip
        """One value for a store; as :meth:`bound`.

        Raises:
            ResultTooLarge, SealError: as :meth:`bound`.
        """
        secret = secret or self.encrypts(members.get("task"))
        data, envelope = self.bound(
            kind, body, lifetime_s=lifetime_s, compression=compression, secret=secret, **members
        )
        return join_stored(data, envelope, container=compression is not None or secret)

    def bare(self, kind: Kind, *, lifetime_s: float, **members: Any) -> str:
        """The envelope of something that has no body: the size of a chord, or its growth."""
        return seal(result_draft(kind, b"", lifetime_s=lifetime_s, **members), self.ring, now=time.time())

    def claim(self, value: bytes, *, task: str, task_id: str, secret: bool = False) -> dict[str, Any] | None:
        """Keep a value elsewhere; what stands for it. ``None`` where there is no such place. As :meth:`bound`.

        Raises:
            ResultTooLarge: that place does not take it.
        """
        if self.place is None:
            return None
        if secret or self.encrypts(task):
            value = self.guard.cipher.encrypt(value, typ="result", task=task, task_id=task_id, queue=None)
        return self.place.put(value)

    def claimed(self, claim: Any, opened: Opened) -> Any:
        """The value that a verified claim stands for.

        Raises:
            Rejected: it is not to be had, or not the one that was sealed.
        """
        if self.place is None:
            raise Rejected(Reason.TOO_LARGE, f"a large result ({CLAIM}); set results.claim_check in this process, too")
        if not opened.members:
            raise Rejected(Reason.ENVELOPE_MISSING, "a claim on a large result that nobody signed")
        data = self.place.get(claim)
        if opened.encrypted:
            data = self.guard.cipher.decrypt(data, typ="result", task=opened.task, task_id=str(opened.members["id"]))
        return parsed(data)

    # Opening ---------------------------------------------------------------------------------------------------

    def open(
        self,
        stored: bytes | str | tuple[bytes, Any] | Oversized,
        question: Question,
        *,
        where: Where = "stored",
        whole: bool = True,
    ) -> Opened:
        """What was sealed, verified; counted and logged if not.

        Args:
            whole: with its body. Without, what was sealed of it is known (``members``), and nothing is decrypted; what
                is not encrypted and has to be is refused all the same.

        Raises:
            Rejected: it is not believed. Nothing else.
        """
        if isinstance(stored, str):
            stored = stored.encode("utf-8", "surrogatepass")
        question = replace(question, tasks=self.guard.sent.name_of)
        try:
            if isinstance(stored, Oversized):
                allowed = self.settings.max_bytes
                raise Rejected(Reason.TOO_LARGE, f"the stored value has {stored.size} bytes, allowed are {allowed}")
            return self._open(stored, question, where, whole)
        except Rejected as refused:
            refusal = refused
        except Exception as error:  # noqa: BLE001  # fail closed
            refusal = Rejected(Reason.INTERNAL, f"opening a result failed with {type(error).__name__}")
        self.tell(refusal, question, where)
        raise refusal from None

    def tell(self, refusal: Rejected, question: Question, where: Where, mode: Literal["enforce", "report"] = "enforce"
             ) -> None:  # fmt: skip
        """Count and log one that is not believed."""
        result_refused(ResultNotBelieved(refusal.reason, refusal.detail, question.kind, question.id or "", where, mode))

    def _open(self, stored: bytes | tuple[bytes, Any], question: Question, where: Where, whole: bool) -> Opened:
        limits, most = self.guard.policy.limits, self.settings.max_bytes
        if not self.ring.trust.keys:
            raise Rejected(Reason.KEY_UNKNOWN, _TRUSTS_NOBODY)
        try:
            found = open_result(
                stored, question, self.ring, now=time.time(), max_bytes=most, max_skew_s=limits.max_clock_skew_s
            )
        except Rejected as refusal:
            if refusal.reason is not Reason.ENVELOPE_MISSING or not self.reports:
                raise
            body = unsigned_body(stored if isinstance(stored, bytes) else stored[0], most)
            self.tell(refusal, question, where, "report")
            return Opened(parsed(body), UNNAMED, question.id or "", {})
        if found.objection is not None:
            if not (self.reports or found.key.mode == "report"):
                raise found.objection
            self.tell(found.objection, question, where, "report")
        if found.body and not is_encrypted(found.claims) and self.encrypts(found.claims.hdr.get("task")):
            self._refuse_plain_text(question, where)
        value = parsed(self._plain(found, most)) if found.body and whole else None
        if value is not None and _state(value) != found.claims.hdr.get("state"):
            raise Rejected(Reason.BODY_MALFORMED, "a result of another state than was sealed")
        return Opened(value, found.task, found.id, dict(found.claims.hdr), is_encrypted(found.claims))

    def _refuse_plain_text(self, question: Question, where: Where) -> None:
        refusal = Rejected(Reason.NOT_ENCRYPTED, "not encrypted, as results of this task have to be")
        if self.guard.settings.encryption.mode != "report":
            raise refusal
        self.tell(refusal, question, where, "report")

    def _plain(self, found: OpenedResult, most: int) -> bytes:
        body, claims = found.body, found.claims
        if is_encrypted(claims):
            body = self.guard.cipher.decrypt(body, typ="result", task=found.task, task_id=str(claims.hdr["id"]))
        return inflate(body, claims.cmp, most)


def _state(value: Any) -> Any:
    """Of a task's result, or of a chord's part; a group has none."""
    if isinstance(value, dict):
        return value.get("status")
    return value[2] if isinstance(value, list) and len(value) == 4 else None


def parsed(body: bytes) -> Any:
    """The value of JSON that is believed, with the types that kombu's JSON has.

    Raises:
        Rejected: it is none.
    """
    try:
        return loads(body)
    except Exception:  # noqa: BLE001  # text of such an error quotes the result
        raise Rejected(Reason.BODY_MALFORMED, "the result is not JSON") from None
