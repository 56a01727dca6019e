"""Encryption of outgoing messages: which must be, and for which queue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from safecelery.errors import SealError, SettingsError
from safecelery.firewall.checks.audience import reaches
from safecelery.firewall.checks.canvas import embedded
from safecelery.message.claims import Audience
from safecelery.runtime.bindings import bindings_of
from safecelery.runtime.guard import Guard, guard_of
from safecelery.runtime.hidden import is_veiled

if TYPE_CHECKING:
    from safecelery.message.cipher import Cipher

__all__ = ["encrypted_body", "must_encrypt", "require_encryption"]


def must_encrypt(cipher: Cipher, task: str, task_id: object, args: Any, kwargs: Any, embed: Mapping[str, Any]) -> bool:
    """The task must be, or one that is embedded in the message; or the message came encrypted, and is sent again.

    Args:
        args, kwargs, embed: Celery's protocol 2, before it is serialised.
    """
    if is_veiled(task_id):
        return True
    if not cipher.is_used:
        return False
    return cipher.must_encrypt(task) or any(
        cipher.must_encrypt(str(signature["task"])) for signature in embedded(task, args, kwargs, embed)
    )


def require_encryption(app: Any, task: type[Any], where: object) -> None:
    """Take note of a task that says ``encrypt=True``.

    Raises:
        SettingsError: it says something that is neither yes nor no.
    """
    if not isinstance(task.encrypt, bool):
        raise SettingsError(f"task {task.name!r} [{where}]: encrypt is True or False, not {task.encrypt!r}")
    if task.encrypt:
        guard_of(app).cipher.require(task.name)


def encrypted_body(guard: Guard, data: bytes, headers: Mapping[str, Any], aud: Audience) -> bytes:
    """The container for the consumers of the place that the message goes to.

    Raises:
        SealError: nobody could read it, or it is not known who that is. Nothing was sent.
    """
    task, task_id = headers["task"], headers.get("id")
    if not isinstance(task_id, str):
        raise SealError(f"task {task!r} must be encrypted, and has no id to bind that to; nothing was sent")
    return guard.cipher.encrypt(data, typ="task", task=task, task_id=task_id, queue=_queue(guard, aud))


def _queue(guard: Guard, aud: Audience) -> str | None:
    """The queue whose consumers read it: of an exchange, the app's one queue that it leads to."""
    if aud.queue is not None:
        return aud.queue
    app = guard.app
    names: list[str] = [queue.name for queue in app.amqp.queues.values()]
    fitting = [name for name in names if any(reaches(binding, aud) for binding in bindings_of(app, name))]
    return fitting[0] if len(fitting) == 1 else None
