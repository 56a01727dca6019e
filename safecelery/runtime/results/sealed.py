"""What every sealed backend has in common: how to make a result's bytes, and how to read them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from queue import Empty
from typing import Any, NoReturn, cast

from celery import states
from celery.result import result_from_tuple

from safecelery.errors import Reason, Rejected, RemoteError, ResultRefused, ResultTooLarge, SettingsError
from safecelery.message.inflate import COMPRESSIONS
from safecelery.message.result import UNNAMED
from safecelery.message.result_open import Question
from safecelery.runtime.hidden import HIDDEN, gathered_for
from safecelery.runtime.results.chord_members import ChordMembers
from safecelery.runtime.results.claims import CLAIM, claimed_by
from safecelery.runtime.results.errbacks import ErrbacksAside
from safecelery.runtime.results.exceptions import rebuild
from safecelery.runtime.results.gathered import gathered
from safecelery.runtime.results.lost import lost
from safecelery.runtime.results.meta import Believed, are_results, checked_meta
from safecelery.runtime.results.replaced import answers_for
from safecelery.runtime.results.seal import Opened, ResultSeal, Where

__all__ = ["SealedBackend"]


class SealedBackend(ErrbacksAside, ChordMembers):
    """Mixin for a backend of Celery's; stands before it in the MRO.

    Results leave sealed and are believed only if their seal holds; Celery's own way to read one is closed.
    """

    app: Any
    compression: str | None
    expires: Any

    def __init__(self, app: Any, **kwargs: Any) -> None:
        super().__init__(app=app, **kwargs)
        self.seal = ResultSeal(app)
        self.check_settings()
        _ = self.seal.allowed, self.seal.place  # what cannot be imported is told at start

    def check_settings(self) -> None:
        """Refuse what no reader would believe, or what nobody could undo.

        Raises:
            SettingsError: results without an end, or a compression without a limit.
        """
        if self.expires_s <= 0:
            raise SettingsError("result_expires is not set, so results would be kept for ever; state seconds")
        if self.compression is not None and self.compression not in COMPRESSIONS:
            raise SettingsError(
                f"result_compression {self.compression!r} cannot be undone with a limit; use gzip, bzip2 or lzma"
            )

    @property
    def expires_s(self) -> float:
        """Seconds for which a result is kept; 0 for ever."""
        kept = self.expires
        return float(kept.total_seconds() if isinstance(kept, timedelta) else kept or 0)

    def throws_of(self, task: str) -> tuple[Any, ...]:
        """What the task declares to raise, where this process has its code."""
        found = self.app.tasks.get(task)
        return (*(getattr(found, "throws", ()) or ()), *(getattr(found, "idempotency_errors", ()) or ()))

    # Writing ---------------------------------------------------------------------------------------------------

    def lifetime(self, state: str, request: Any = None) -> float:
        """Seconds for which a result's seal holds: as long as any store keeps it."""
        kept = [self.expires_s, getattr(self, "failure_expires", 0) if state == states.FAILURE else 0]
        if request is not None and getattr(request, "chord", None):
            kept.append(getattr(self, "chord_expires", 0))
        return float(max(seconds or 0 for seconds in kept))

    def task_of(self, task_id: str, request: Any) -> str:
        """The name to seal a result with: the request's, else that of the task that this process sent."""
        name = answers_for(request, task_id) if request is not None else None
        return str(name or self.seal.guard.sent.name_of(task_id) or UNNAMED)

    def is_secret(self, task: str, request: Any) -> bool:
        """Results of this task are encrypted, or of the one that stands in for it under its id and name."""
        return self.seal.encrypts(task) or self.seal.encrypts(getattr(request, "task", None))

    def body_of(self, meta: Any) -> bytes:
        """JSON as Celery writes it, without the compression that belongs outside of the seal."""
        content_type, _, payload = self._encode(meta)  # type: ignore[attr-defined]
        if content_type != "application/json":
            raise SettingsError("result_serializer must be json: nothing else is sealed")
        return cast("bytes", payload.encode("utf-8") if isinstance(payload, str) else payload)

    def sealed_meta(self, task_id: str, meta: dict[str, Any], request: Any) -> bytes:
        """A task's result as one value for a store."""
        members = self.members_of(task_id, request)
        lifetime = self.lifetime(meta["status"], request)
        return self.seal.stored(
            "result", self.body_of(meta), lifetime_s=lifetime, compression=self.compression,
            secret=self.is_secret(members["task"], request), state=meta["status"], **members,
        )  # fmt: skip

    def fitted(self, error: ResultTooLarge, meta: dict[str, Any], task: str, *, secret: bool) -> dict[str, Any]:
        """A result that is too large, made small: a claim on its value, or the failure that tells of its loss."""
        if meta["status"] not in states.EXCEPTION_STATES:
            try:
                value, task_id = self.body_of(meta["result"]), meta["task_id"]
                claim = self.seal.claim(value, task=task, task_id=task_id, secret=secret)
            except ResultTooLarge as refused:
                error, claim = refused, None
            if claim is not None:
                return {**meta, "result": None, CLAIM: claim}
        return lost(self, error, meta, task)

    def mark_as_failure(
        self: Any, task_id: str, exc: Any, traceback: Any = None, request: Any = None, store_result: bool = True,
        call_errbacks: bool = True, state: str = states.FAILURE,
    ) -> None:  # fmt: skip
        """As Celery's. The tasks after an encrypted one in its chain fail with it, and do not tell what it raised."""
        chain = getattr(request, "chain", None)
        told = (task_id, exc, traceback, request, store_result, call_errbacks, state)
        if not chain or not self.is_secret(self.task_of(task_id, request), request):
            super().mark_as_failure(*told)  # type: ignore[misc]
            return
        request.chain = None
        try:
            super().mark_as_failure(*told)  # type: ignore[misc]
        finally:
            request.chain = chain
        hidden = RemoteError(f"{type(exc).__module__}.{type(exc).__qualname__}", HIDDEN)
        self._fail_chain(chain, hidden, None, store_result=store_result, state=state)

    # Reading ---------------------------------------------------------------------------------------------------

    def opened_meta(self, task_id: str, stored: Any) -> dict[str, Any]:
        """A task's verified result.

        Raises:
            ResultRefused: it is not believed.
        """
        question = Question("result", task_id)
        try:
            return self._checked(self.seal.open(stored, question), question, "stored")
        except Rejected as refusal:
            raise ResultRefused(refusal.reason, task_id, refusal.detail) from None

    def is_success(self, task_id: str, stored: Any) -> bool:
        """A verified ``SUCCESS``, which stays; what is not believed counts as none, and is overwritten (E12.11).

        Nothing is decrypted: a worker need not be able to read what it has written.
        """
        try:
            opened = self.seal.open(stored, Question("result", task_id), whole=False)
        except Rejected:
            return False
        value = opened.value if isinstance(opened.value, dict) else {}
        return bool(opened.members.get("state", value.get("status")) == states.SUCCESS)

    def published_meta(self, stored: Any, where: Where = "published") -> dict[str, Any] | None:
        """A verified result of whichever task was signed; ``None`` for one to be dropped."""
        question = Question("result")
        try:
            return self._checked(self.seal.open(stored, question, where=where), question, where)
        except Rejected:
            return None

    def _checked(self, opened: Opened, question: Question, where: Where) -> dict[str, Any]:
        try:
            if (claim := claimed_by(opened.value)) is not None:
                value = {name: part for name, part in opened.value.items() if name != CLAIM}
                opened = replace(opened, value={**value, "result": self.seal.claimed(claim, opened)})
            meta = checked_meta(opened, self.seal.allowed, self.throws_of(opened.task))
            return Believed(gathered(self.seal, meta, opened), opened.task)
        except Rejected as refusal:
            self.seal.tell(refusal, question, where)
            raise

    def _asked_for(self, task_id: str, meta: Any) -> bool:
        """Not of another task than the one that this process sent with that id after it had come."""
        sent, task = self.seal.guard.sent.name_of(task_id), getattr(meta, "task", UNNAMED)
        return sent is None or task in (sent, UNNAMED)

    def get_task_meta(self: Any, task_id: str, *args: Any, **kwargs: Any) -> Any:
        """As Celery's. What is gathered for a chord is nobody else's, and what others have read is not for it."""
        if gathered_for() is not None:
            return super().get_task_meta(task_id, cache=False)  # type: ignore[misc]
        if not self._asked_for(task_id, self._cache.get(task_id)):
            self._cache.pop(task_id, None)
        return super().get_task_meta(task_id, *args, **kwargs)  # type: ignore[misc]

    def _maybe_resolve_from_buffer(self: Any, result: Any) -> None:
        """As Celery's, for what came before anybody waited for it. Raises Empty where nothing did; and for who
        gathers for a chord: what is his is read for him.
        """
        if gathered_for() is not None:
            raise Empty
        while True:
            meta = self._pending_messages.take(result.id)
            if self._asked_for(result.id, meta):
                result._maybe_set_cache(meta)
                return

    def drop_claim(self, task_id: str, stored: Any) -> None:
        """Remove the large value of a result that is forgotten, if it has one and is believed."""
        try:
            claim = claimed_by(self.seal.open(stored, Question("result", task_id)).value)
        except Rejected:
            return
        if claim is not None and self.seal.place is not None:
            self.seal.place.remove(claim)

    def exception_to_python(self, exc: Any) -> Any:
        """Never by what a result says: see safecelery/runtime/results/exceptions.py."""
        if exc is None or isinstance(exc, Exception):
            return exc
        return rebuild(exc, self.seal.allowed)

    def decode_result(self, payload: Any) -> NoReturn:
        """Closed: it would believe anything.

        Raises:
            ResultRefused: always.
        """
        raise ResultRefused(Reason.INTERNAL, "", "a reader that does not verify what it reads")

    # Groups ----------------------------------------------------------------------------------------------------

    def sealed_group(self, group_id: str, result: Any) -> bytes:
        """A saved group as one value for a store."""
        body = self.body_of({"result": result.as_tuple()})
        return self.seal.stored("group", body, lifetime_s=self.lifetime(states.SUCCESS), group=group_id)

    def opened_group(self, group_id: str, stored: Any, question: Question | None = None) -> dict[str, Any]:
        """A verified group.

        Raises:
            ResultRefused: it is not believed.
        """
        question = question or Question("group", group_id)
        try:
            value = self.seal.open(stored, question).value
            saved: Any = value.get("result") if isinstance(value, dict) else None
            if not are_results([saved]) or not isinstance(saved[1], list):
                raise Rejected(Reason.BODY_MALFORMED, "not a saved group")
            return {"result": result_from_tuple(saved, self.app)}
        except Rejected as refusal:
            raise ResultRefused(refusal.reason, group_id, refusal.detail) from None
