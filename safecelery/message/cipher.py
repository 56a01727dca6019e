"""Encryption of bodies and results: who must, for whom, and back (docs/spec/encryption-v1.md)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from safecelery.errors import KeyringError, Reason, Rejected, SealError
from safecelery.keys.encryption.interface import CONTENT_KEY_BYTES, UnwrapFailed
from safecelery.keys.encryption.ring import DecryptionKeys
from safecelery.keys.encryption.trusted import EncryptionKey
from safecelery.keys.entry import granted
from safecelery.keys.ring import Keyring
from safecelery.message.claims import Typ
from safecelery.message.codec import Malformed
from safecelery.message.encrypted import (
    MAX_RECIPIENTS,
    Recipient,
    content_context,
    head_of,
    parse_container,
    wrap_context,
)

__all__ = ["Cipher"]

_NONCE_BYTES = 12
#: What ciphertext is for: the domain of its envelope, or that of what workers keep of an operation (N4.3).
Domain: TypeAlias = Typ | Literal["operation"]


class Cipher:
    """What one process encrypts to, and reads.

    Args:
        ring: whose trust store says who the recipients are; asked at each message, so that it may change.
        private: the keys that this process reads with.
        tasks: globs of names of tasks that must be encrypted, besides those that say so themselves.
        clock: seconds since the epoch.
        operations: the secret under which operations of encrypted tasks are named (runtime/idempotency.py).
    """

    def __init__(
        self,
        ring: Keyring,
        private: DecryptionKeys | None = None,
        tasks: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        operations: bytes | None = None,
    ) -> None:
        self._ring = ring
        self._private = private or DecryptionKeys()
        self._tasks = tuple(tasks)
        self._declared: set[str] = set()
        self._clock = clock
        self.operations = operations

    def require(self, task_name: str) -> None:
        """This task declares that it must be encrypted."""
        self._declared.add(task_name)

    @property
    def is_used(self) -> bool:
        """Any task must be encrypted: without one, nobody needs to look into messages for it."""
        return bool(self._declared or self._tasks)

    def must_encrypt(self, task_name: str) -> bool:
        """Its messages and results never leave this process in plain text."""
        return task_name in self._declared or granted(task_name, self._tasks)

    def encrypt(self, plain: bytes, *, typ: Domain, task: str, task_id: str, queue: str | None) -> bytes:
        """The container for everybody who may read this (N4.1 to N4.3).

        Args:
            typ: ``"task"`` for a body, whose recipients are the consumers of ``queue``; so for ``"operation"``, what
                workers remember. ``"result"`` for what is told of a task, whose recipients are the keys with its name
                in ``results``.
            queue: where the body goes; of no meaning for a result.

        Raises:
            SealError: nobody could read it, or the key of somebody who should cannot be used. Nothing was sent.
        """
        content_key = secrets.token_bytes(CONTENT_KEY_BYTES)
        try:
            recipients = [
                Recipient(
                    key.kid,
                    key.wrapper.wrap(
                        content_key, wrap_context(scheme=key.scheme, kid=key.kid, typ=typ, task=task, task_id=task_id)
                    ),
                )
                for key in self._recipients(typ, task, queue)
            ]
            head = head_of(recipients)
        except (KeyringError, ValueError) as error:
            raise SealError(f"task {task!r} cannot be encrypted: {error}; nothing was sent") from None
        nonce = secrets.token_bytes(_NONCE_BYTES)
        context = content_context(head, typ=typ, task=task, task_id=task_id)
        return head + nonce + AESGCM(content_key).encrypt(nonce, plain, context)

    def _recipients(self, typ: Domain, task: str, queue: str | None) -> Sequence[EncryptionKey]:
        now = self._clock()
        keys = [key for key in self._ring.trust.encryption.values() if key.is_valid(now)]
        if typ != "result" and queue is None:
            raise SealError(
                f"task {task!r} must be encrypted, and it is not known which queue it goes to: send it to a queue "
                "of the app's own; nothing was sent"
            )
        if typ != "result" and queue is not None:
            found = [key for key in keys if key.reads_queue(queue)]
            missing, option = f"queue {queue!r}", f"--queue {queue}"
        else:
            found = [key for key in keys if key.reads_result_of(task)]
            missing, option = f"results of {task!r}", f"--read-results {task}"
        if not found:
            raise SealError(
                f"task {task!r} must be encrypted, and the trust store has no valid encryption key for {missing}; make "
                f"one with `safecelery keys generate OWNER --scheme hpke-x25519 {option} --trust FILE`. "
                "Nothing was sent"
            )
        if len(found) > MAX_RECIPIENTS:
            raise SealError(
                f"task {task!r}: {len(found)} encryption keys are valid for {missing}, at most {MAX_RECIPIENTS} can "
                "be; nothing was sent"
            )
        return found

    def decrypt(self, data: bytes, *, typ: Domain, task: str, task_id: str) -> bytes:
        """The plain bytes, in this order (docs/spec/encryption-v1.md, section 5).

        1. The container is whole, and nothing else (N5.1).
        2. It is for a key of this process (N5.2).
        3. That key opens the content key, bound to domain, task and id (N5.3).
        4. The content key opens the content, bound to these and to all recipients (N5.4).

        Raises:
            Rejected: ``Reason.UNDECRYPTABLE``. Its text carries nothing of the message but ids of keys.
        """
        # 1. form
        try:
            container = parse_container(data)
        except Malformed as error:
            raise Rejected(Reason.UNDECRYPTABLE, f"no container of encrypted bytes: {error}") from None
        # 2. recipient
        key = self._private.first_of(recipient.kid for recipient in container.recipients)
        if key is None:
            ids = ", ".join(recipient.kid[:80] for recipient in container.recipients[:4])
            raise Rejected(Reason.UNDECRYPTABLE, f"encrypted to {ids}; this process has none of these keys")
        wrapped = next(recipient.wrapped for recipient in container.recipients if recipient.kid == key.kid)
        # 3. content key
        try:
            content_key = key.unwrapper.unwrap(
                wrapped, wrap_context(scheme=key.scheme, kid=key.kid, typ=typ, task=task, task_id=task_id)
            )
        except UnwrapFailed:
            raise Rejected(
                Reason.UNDECRYPTABLE, f"key {key.kid!r} does not open it: changed, or of another task or message"
            ) from None
        if len(content_key) != CONTENT_KEY_BYTES:
            raise Rejected(Reason.UNDECRYPTABLE, "the content key has a wrong length")
        # 4. content
        context = content_context(container.head, typ=typ, task=task, task_id=task_id)
        try:
            return AESGCM(content_key).decrypt(container.nonce, container.ciphertext, context)
        except InvalidTag:
            raise Rejected(
                Reason.UNDECRYPTABLE, f"encrypted to key {key.kid!r}, and changed since, or of another message"
            ) from None
