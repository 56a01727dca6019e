"""Which entries a command is about."""

from __future__ import annotations

from dataclasses import dataclass

from safecelery.errors import DeadLetterError
from safecelery.keys.trust import glob_matches
from safecelery.policy import durations
from safecelery.runtime.dead_letters.stream import NOT_A_LETTER, Entry

__all__ = ["Selection", "seconds"]

#: An id may be shortened to this many characters.
SHORTEST_ID = 6


def seconds(text: str) -> int:
    """``90s``, ``2h``, ``7d``, ``1d12h``.

    Raises:
        DeadLetterError: it is no duration.
    """
    try:
        return durations.seconds(text)
    except ValueError as error:
        raise DeadLetterError(str(error)) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """All that is given must hold; of several values of one kind, one."""

    reasons: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    """Names or globs, of the verified name or else of the one that is only claimed."""
    queues: tuple[str, ...] = ()
    """Where the message was refused: names or globs."""
    ids: tuple[str, ...] = ()
    """Whole ids, or how they begin."""
    before: float | None = None
    """Refused before this moment, in seconds since the epoch."""
    after: float | None = None

    def __post_init__(self) -> None:
        for short in (wanted for wanted in self.ids if len(wanted) < SHORTEST_ID):
            raise DeadLetterError(
                f"id {short!r} is too short to mean one letter; give {SHORTEST_ID} characters or more"
            )

    @property
    def everything(self) -> bool:
        """No filter was given."""
        return self == Selection()

    def takes(self, entry: Entry) -> bool:
        """The entry is meant. What is no dead letter is meant only by its id, its reason, or where nothing is given."""
        if self.ids and not entry.id.startswith(self.ids):
            return False
        if self.reasons and entry.reason not in self.reasons:
            return False
        letter = entry.letter
        if letter is None:
            named = bool(self.ids) or NOT_A_LETTER in self.reasons
            return self.everything or (named and not (self.tasks or self.queues or self.before or self.after))
        return self._of_that_task(letter.task or letter.claimed_task) and self._in_time_and_place(
            letter.queue, letter.at.timestamp()
        )

    def _of_that_task(self, task: str | None) -> bool:
        return not self.tasks or (task is not None and any(glob_matches(task, glob) for glob in self.tasks))

    def _in_time_and_place(self, queue: str, at: float) -> bool:
        return (
            (not self.queues or any(glob_matches(queue, glob) for glob in self.queues))
            and (self.before is None or at < self.before)
            and (self.after is None or at > self.after)
        )
