"""Operations in the store: outcomes that nobody forges; of encrypted tasks, names and outcomes that nobody reads."""

from __future__ import annotations

import json
import logging
import time
from typing import Any, Final, Literal

from safecelery.errors import Reason, Rejected, SealError, SettingsError
from safecelery.message.cipher import Cipher
from safecelery.message.encrypted import is_encrypted
from safecelery.message.result import result_draft
from safecelery.message.result_form import join_stored
from safecelery.message.result_open import Question, open_result
from safecelery.message.seal import seal
from safecelery.runtime.guard import Guard, guard_of
from safecelery.runtime.hidden import is_hidden
from safecelery.telemetry.results import ResultNotBelieved, result_refused

__all__ = ["OutcomeCode", "operations_secret", "refuse_nameless"]

logger = logging.getLogger("safecelery")

#: Bytes by which an encrypted outcome may be larger than a message (docs/spec/encryption-v1.md, N3.2 and N3.3).
_CONTAINER_BYTES: Final = 131_072
_LOST: Final = b'{"lost":'


def _is_secret(cipher: Cipher, task: Any) -> bool:
    return cipher.must_encrypt(task.name) or is_hidden(vars(task.request))


def operations_secret(task: Any) -> bytes | None:
    """The secret under which this run's operation is named; ``None`` if the task is not encrypted.

    Raises:
        SettingsError: it is, and there is no secret.
    """
    cipher = guard_of(task.app).cipher
    if not _is_secret(cipher, task):
        return None
    refuse_nameless(cipher, task.name)
    return cipher.operations


def refuse_nameless(cipher: Cipher, task: str) -> None:
    """Raises SettingsError if there is no secret to name the operations of this task with."""
    if cipher.operations is None:
        raise SettingsError(
            f"task {task!r} is encrypted and has an idempotency_key: whoever reads the store could guess its arguments "
            "by the names of operations; fix: set encryption.operations_key to a key made with `safecelery keys "
            "generate OWNER --scheme aes-256-gcm`, the same for all workers"
        )


class OutcomeCode:
    """How the outcome of one operation is kept: sealed by the worker that did it, encrypted if its task is (E12.13).

    Without a seal, whoever can write to the store could choose what an honest worker answers.

    Args:
        name: the operation's, which the outcome is bound to.
        ttl_s: for how long it is kept, and so believed.
    """

    def __init__(self, guard: Guard, task: Any, name: str, ttl_s: float) -> None:
        self._guard, self._task, self._ttl_s = guard, task.name, ttl_s
        self._id = f"operation:{name}"
        self._secret = _is_secret(guard.cipher, task)
        self._queue = (task.request.delivery_info or {}).get("routing_key") if self._secret else None

    def written(self, outcome: bytes) -> bytes:
        """What the store gets. Where nobody could read it, or this process cannot seal it, that it was done."""
        secret = self._secret
        if secret:
            try:
                outcome = self._encrypted(outcome)
            except SealError as error:
                outcome, secret = _lost(f"it could not be encrypted: {error}"), False
        lifetime = self._ttl_s + self._guard.policy.limits.max_clock_skew_s
        try:
            draft = result_draft(
                "operation", outcome, lifetime_s=lifetime, encrypted=secret, task=self._task, id=self._id
            )
            return join_stored(outcome, seal(draft, self._guard.ring, now=time.time()), container=secret)
        except SealError as error:
            logger.error("operation of %s: it is kept that it was done, and not its outcome: %s", self._task, error)
            return _lost("nobody sealed it")

    def _encrypted(self, outcome: bytes) -> bytes:
        cipher = self._guard.cipher
        return cipher.encrypt(outcome, typ="operation", task=self._task, task_id=self._id, queue=self._queue)

    def read(self, kept: bytes) -> bytes:
        """The outcome; where it is not believed, that it was done. It is counted and logged then."""
        try:
            return self._opened(kept)
        except Rejected as refusal:
            self._tell(refusal)
            return _lost(f"what is kept of it is not believed: {refusal}")

    def _opened(self, kept: bytes) -> bytes:
        limits = self._guard.policy.limits
        found = open_result(
            kept, Question("operation", self._id, tasks=lambda _: self._task), self._guard.ring, now=time.time(),
            max_bytes=limits.max_message_bytes + _CONTAINER_BYTES, max_skew_s=limits.max_clock_skew_s,
        )  # fmt: skip
        if found.objection is not None:
            if self._guard.settings.results.mode != "report" and found.key.mode != "report":
                raise found.objection
            self._tell(found.objection, "report")
        if is_encrypted(found.claims):
            return self._guard.cipher.decrypt(found.body, typ="operation", task=self._task, task_id=self._id)
        if self._secret and not found.body.startswith(_LOST):
            raise Rejected(Reason.NOT_ENCRYPTED, "not encrypted, as outcomes of this task have to be")
        return found.body

    def _tell(self, refusal: Rejected, mode: Literal["enforce", "report"] = "enforce") -> None:
        result_refused(ResultNotBelieved(refusal.reason, refusal.detail, "operation", self._id, "stored", mode))


def _lost(why: str) -> bytes:
    return json.dumps({"lost": why}).encode()
