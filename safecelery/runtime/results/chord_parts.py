"""One part of a chord: what a task of its header came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from celery import states
from celery.exceptions import ChordError

from safecelery.errors import Reason, Rejected
from safecelery.runtime.results.claims import CLAIM
from safecelery.runtime.results.exceptions import rebuild
from safecelery.runtime.results.gathered import conceals, untold
from safecelery.runtime.results.seal import Opened

__all__ = ["Part", "as_part"]


@dataclass(frozen=True, slots=True)
class Part:
    """Verified; or in report mode unsigned."""

    id: str
    index: int | None
    task: str
    state: str
    value: Any
    opened: Opened

    @property
    def signed(self) -> bool:
        """Not so only in report mode."""
        return bool(self.opened.members)

    @property
    def key(self) -> tuple[str, Any]:
        """What there is one of: a frozen signature that is used twice has one id and two places."""
        return self.id, self.index if self.signed else id(self)

    def value_or_error(self, backend: Any) -> Any:
        """What the body gets.

        Raises:
            ChordError: the task failed.
        """
        value = self.value
        if self.state not in states.EXCEPTION_STATES and isinstance(value, dict) and value.keys() == {CLAIM}:
            try:
                return backend.seal.claimed(value[CLAIM], self.opened)
            except Rejected as refusal:
                raise ChordError(f"Dependency {self.id}: its large result is not to be had: {refusal}") from None
        if conceals(backend.seal, self.opened) and self.state in states.PROPAGATE_STATES:
            raise untold(self.id)
        if self.state in states.EXCEPTION_STATES:
            failed = rebuild(value, backend.seal.allowed, backend.throws_of(self.task))
            if self.state in states.PROPAGATE_STATES:
                raise ChordError(f"Dependency {self.id} raised {failed!r}") from failed
            return failed
        return value


def as_part(opened: Opened) -> Part:
    """``[1, id, state, value]``, as Celery writes it.

    Raises:
        Rejected: it is not, or of another id than was signed.
    """
    value, members = opened.value, opened.members
    if not (isinstance(value, list) and len(value) == 4 and isinstance(value[1], str) and isinstance(value[2], str)):
        raise Rejected(Reason.BODY_MALFORMED, "not the part of a chord")
    if members and members["id"] != value[1]:
        raise Rejected(Reason.BODY_MALFORMED, "a part that names another task than its seal")
    return Part(value[1], members.get("index"), opened.task, value[2], value[3], opened)
