"""What a worker gathers for a chord: which results it may hand on, and what is told of those that failed."""

from __future__ import annotations

from typing import Any, NoReturn

from celery import states
from celery.exceptions import ChordError

from safecelery.errors import Reason, Rejected, ResultRefused
from safecelery.message.result import CHORD
from safecelery.message.result_open import Question
from safecelery.runtime.hidden import draw_veil, gathered_for
from safecelery.runtime.results.meta import PENDING
from safecelery.runtime.results.seal import Opened, ResultSeal

__all__ = ["conceals", "gathered", "of_another_chord", "of_this_chord", "untold"]


def of_this_chord(opened: Opened, chord: str) -> bool:
    """Whether it was sealed for the chord with that digest (E12.14); an unsigned one, in report mode, says nothing."""
    return not opened.members or opened.members.get(CHORD) == chord


def of_another_chord() -> Rejected:
    """Why it is not believed."""
    return Rejected(Reason.RESULT_OF_ANOTHER_CHORD, "not of the chord that it was gathered for, or set off")


def conceals(seal: ResultSeal, opened: Opened) -> bool:
    """Whether what was gathered is of an encrypted task; from then on, nothing of it is told."""
    if not (opened.encrypted or seal.encrypts(opened.task)):
        return False
    draw_veil(opened.task)
    return True


def gathered(seal: ResultSeal, meta: dict[str, Any], opened: Opened) -> dict[str, Any]:
    """The result of a task, as this thread may have it.

    Celery looks at the tasks before those of a header, too, for one that failed: they are not there, as whatever they
    raised is what became of the tasks after them. What the header itself should not have has a state and no value.
    """
    header = gathered_for()
    if header is None:
        return meta
    task_id, failed = meta["task_id"], meta["status"] in states.EXCEPTION_STATES
    if not of_this_chord(opened, header.chord):
        if task_id not in header.ids:
            return PENDING()
        told = untold(task_id, "not for this chord to know") if failed else _NotForThisChord(seal, task_id)
        return {**meta, "result": told, "traceback": None}
    if conceals(seal, opened) and failed:
        return {**meta, "result": untold(task_id), "traceback": None}
    return meta


class _NotForThisChord:
    """Stands for a result that is not handed on: whoever tries is told so."""

    def __init__(self, seal: ResultSeal, task_id: str) -> None:
        self._seal, self._id = seal, task_id

    def __repr__(self) -> str:
        return "(a result of another chord)"

    def __json__(self) -> NoReturn:
        """Called when the callback is about to be sent (kombu/utils/json.py)."""
        self._seal.tell(refusal := of_another_chord(), Question("result", self._id), "stored")
        raise ResultRefused(refusal.reason, self._id, refusal.detail)


def untold(task_id: str, why: str = "encrypted") -> ChordError:
    """In place of what a task raised."""
    return ChordError(f"Dependency {task_id} failed; what it raised is {why}")
