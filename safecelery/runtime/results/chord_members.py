"""What every sealed backend has to do with chords: it says of a result which one it is for (E12.14)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from celery.canvas import group

from safecelery.errors import ResultTooLarge
from safecelery.message.result import CHORD
from safecelery.runtime.chord_binding import bound_to, chord_digest, salt
from safecelery.runtime.encrypting import must_encrypt
from safecelery.runtime.results.claims import CLAIM

__all__ = ["ChordMembers", "member_of"]


class ChordMembers:
    """The part of a sealed backend that knows of chords."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        #: Callbacks whose chord fails just now: id to the digest of the chord that they are in the header of.
        self._failing: dict[str, str] = {}

    def members_of(self: Any, task_id: str, request: Any) -> dict[str, str]:
        """What is sealed of a task beside its state: name, id, and the chord that it is in the header of."""
        chord = self._failing.get(task_id) if request is None else bound_to(request)
        return {"task": self.task_of(task_id, request), "id": task_id, **member_of(chord)}

    def sealed_part(self: Any, request: Any, state: str, result: Any) -> bytes:
        """A chord's part as one value: ``[1, id, state, result]``, bound to the chord."""
        members = self.members_of(request.id, request)
        task, index = members["task"], request.group_index
        secret = self.is_secret(task, request)

        def sealed(state: str, result: Any) -> bytes:
            body = self.body_of([1, request.id, state, result])
            lifetime = self.lifetime(state, request)
            value: bytes = self.seal.stored(
                "chord-part", body, lifetime_s=lifetime, compression=self.compression, secret=secret, state=state,
                group=request.group, index=index, **members,
            )  # fmt: skip
            return value

        encoded = self.encode_result(result, state)
        try:
            return sealed(state, encoded)
        except ResultTooLarge as error:
            whole = {"status": state, "result": encoded, "task_id": request.id}
            meta = self.fitted(error, whole, task, secret=secret)
            return sealed(meta["status"], {CLAIM: meta[CLAIM]} if CLAIM in meta else meta["result"])

    def apply_chord(self: Any, header_result_args: Any, body: Any, **kwargs: Any) -> Any:
        """As Celery's. Called before the header is sent."""
        self.conceal_callback(body)
        return super().apply_chord(header_result_args, body, **kwargs)  # type: ignore[misc]

    def conceal_callback(self: Any, body: Any) -> None:
        """The digest of a callback that must be encrypted is not to tell what its arguments are."""
        if must_encrypt(self.seal.guard.cipher, "", None, (), {}, {"chord": body}):
            salt(body.options)

    def chord_error_from_stack(self: Any, callback: Any, exc: Any = None) -> Any:
        """As Celery's, which has no request of the callback: what failed with it belongs to the chord around."""
        bound = dict(_chords_in(callback))
        self._failing.update(bound)
        try:
            return super().chord_error_from_stack(callback, exc)  # type: ignore[misc]
        finally:
            for task_id in bound:
                self._failing.pop(task_id, None)


def member_of(chord: str | None) -> dict[str, str]:
    """The member that says which chord something sealed belongs to; none for what belongs to none."""
    return {} if chord is None else {CHORD: chord}


def _chords_in(callback: Any) -> Iterator[tuple[str, str]]:
    """Ids of a callback, or of the tasks of one that is a group, each with the digest of the chord that it names."""
    tasks = callback.tasks if isinstance(callback, group) else [callback]
    for task in tasks:
        options = task.get("options") or {}
        if options.get("task_id") and options.get("chord"):
            yield str(options["task_id"]), chord_digest(options["chord"])
