"""Operations of encrypted tasks in the store: a name that cannot be guessed, and an outcome that cannot be read."""

from __future__ import annotations

import json
from typing import Any

from safecelery.errors import Rejected, SealError, SettingsError
from safecelery.message.cipher import Cipher
from safecelery.runtime.guard import guard_of
from safecelery.runtime.hidden import is_hidden

__all__ = ["OutcomeCode", "operations_secret", "refuse_nameless"]


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
    """How the outcome of one operation is kept: as it is, or encrypted to the consumers of the queue.

    Args:
        name: the operation's, which the outcome is bound to.
    """

    def __init__(self, cipher: Cipher, task: Any, name: str) -> None:
        self._cipher, self._task = cipher, task.name
        self._id = f"operation:{name}"
        self._queue = (task.request.delivery_info or {}).get("routing_key") if _is_secret(cipher, task) else None

    def written(self, outcome: bytes) -> bytes:
        """What the store gets. Where nobody could read it, that it was done."""
        if self._queue is None:
            return outcome
        try:
            return self._encrypted(outcome)
        except SealError as error:
            return json.dumps({"lost": f"it could not be encrypted: {error}"}).encode()

    def _encrypted(self, outcome: bytes) -> bytes:
        return self._cipher.encrypt(outcome, typ="operation", task=self._task, task_id=self._id, queue=self._queue)

    def read(self, kept: bytes) -> bytes:
        """The outcome. One that should be encrypted and is not was not written by us, but for the news of a loss."""
        if self._queue is None:
            return kept
        if kept.startswith(b'{"lost":'):
            return kept
        try:
            return self._cipher.decrypt(kept, typ="operation", task=self._task, task_id=self._id)
        except Rejected as refusal:
            return json.dumps({"lost": str(refusal)}).encode()
