"""Every exception of safecelery, and the reasons for which a message is refused.

::

    SafeCeleryError
    ├── SettingsError               settings missing, unknown, or contradicting each other
    ├── PolicyFileError             a policy or waiver file that cannot be used
    ├── PolicyViolationError        something breaks the policy; lists every violation
    ├── UnknownOptionError          an option nobody reads; also a TypeError
    ├── ArgumentsRejected           task arguments that do not fit the annotations
    ├── KeyringError                a key, key source or trust store that cannot be used
    ├── SealError                   a message cannot be signed, so it is not sent
    ├── DeadLetterError             dead letters cannot be read, moved or sent again
    ├── Rejected                    a received message is refused; carries a Reason
    ├── ResultRefused               a stored result is not believed; carries a Reason
    ├── ResultTooLarge              a result is larger than may be stored
    ├── RemoteError                 a task failed with an exception that is not made again here
    ├── OutcomeUnavailable          an operation was done before, and what came of it is not known
    ├── StoreUnavailable            the ledger cannot be asked, so nothing that needs it goes on
    ├── StateFileError              a state file of a worker or of beat that cannot be used; it is left as it is
    └── TransientError              for tasks to raise: retried with backoff

This module is the bottom layer: it imports nothing of the package.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ArgumentsRejected",
    "DeadLetterError",
    "KeyringError",
    "LintError",
    "OutcomeUnavailable",
    "PolicyFileError",
    "PolicyViolationError",
    "Reason",
    "Rejected",
    "RemoteError",
    "ResultRefused",
    "ResultTooLarge",
    "SafeCeleryError",
    "SealError",
    "SettingsError",
    "StateFileError",
    "StoreUnavailable",
    "TransientError",
    "UnknownOptionError",
    "did_you_mean",
    "nearest",
    "one_line",
]


class Reason(StrEnum):
    """Why a message was refused. The value appears in logs, dead letters and metrics."""

    TOO_LARGE = "too-large"
    ENVELOPE_MISSING = "envelope-missing"
    ENVELOPE_MALFORMED = "envelope-malformed"
    VERSION_UNSUPPORTED = "version-unsupported"
    TYPE_MISMATCH = "type-mismatch"
    KEY_UNKNOWN = "key-unknown"
    KEY_EXPIRED = "key-expired"
    KEY_REVOKED = "key-revoked"
    SIGNATURE_INVALID = "signature-invalid"
    CLAIMS_MALFORMED = "claims-malformed"
    CONTENT_DISALLOWED = "content-disallowed"
    UNDECRYPTABLE = "undecryptable"
    NOT_ENCRYPTED = "not-encrypted"
    BODY_MALFORMED = "body-malformed"
    AUDIENCE_MISMATCH = "audience-mismatch"
    STALE = "stale"
    NOT_YET_VALID = "not-yet-valid"
    TASK_NOT_GRANTED = "task-not-granted"
    QUEUE_NOT_GRANTED = "queue-not-granted"
    CANVAS_NOT_GRANTED = "canvas-not-granted"
    CANVAS_OPTION = "canvas-option"
    RETRIES_OUT_OF_RANGE = "retries-out-of-range"
    SCHEDULE_OUT_OF_RANGE = "schedule-out-of-range"
    TASK_UNKNOWN = "task-unknown"
    REPLAYED = "replayed"
    POISON = "poison"
    COMMAND_UNKNOWN = "command-unknown"
    COMMAND_NOT_GRANTED = "command-not-granted"
    COMMAND_ARGUMENTS = "command-arguments"
    COMMAND_REPLAYED = "command-replayed"
    COMMANDS_TOO_MANY = "commands-too-many"
    REPLY_UNASKED = "reply-unasked"
    RESULT_NOT_GRANTED = "result-not-granted"
    RESULT_OF_ANOTHER_TASK = "result-of-another-task"
    RESULT_OF_ANOTHER_CHORD = "result-of-another-chord"
    INTERNAL = "internal"


#: Characters of a refusal's detail: enough for four names of ordinary length.
LONGEST_DETAIL = 400


class SafeCeleryError(Exception):
    """Base class of every error that safecelery raises."""


class SettingsError(SafeCeleryError):
    """Settings are missing, unknown, or contradict each other."""


class PolicyFileError(SafeCeleryError):
    """A policy or waiver file that cannot be read, or does not mean what it says."""


class PolicyViolationError(SafeCeleryError):
    """Something breaks the policy. ``violations`` holds every one found, not just the first.

    Each violation prints itself as ``CODE name: message`` with place and fix.
    """

    def __init__(self, violations: Iterable[object], *, subject: str = "") -> None:
        self.violations = tuple(violations)
        self.subject = subject
        count = len(self.violations)
        head = f"{subject or 'this'} breaks the policy ({count} violation{'' if count == 1 else 's'}):"
        super().__init__("\n".join([head, *(f"  {violation}" for violation in self.violations)]))


class UnknownOptionError(SafeCeleryError, TypeError):
    """An option that nothing would ever read, such as ``time_limt=30``.

    Celery accepts those in silence; here the nearest known name is suggested.
    """


class ArgumentsRejected(SafeCeleryError, TypeError):
    """Arguments that do not fit the task's annotations. Never retried.

    The text names parameters and what was expected of them, never their values.
    """


class LintError(SafeCeleryError):
    """The linter cannot do what it was asked: its configuration or its baseline is missing, broken or unknown."""


class KeyringError(SafeCeleryError):
    """A key, a key source or a trust store that cannot be used."""


class SealError(SafeCeleryError):
    """A message cannot be signed as asked, so it was not sent."""


class DeadLetterError(SafeCeleryError):
    """The dead letters cannot be read, moved or sent again; none of them is lost by it."""


class Rejected(SafeCeleryError):
    """A received message is refused.

    ``detail`` may name keys, tasks and queues, but never carries any of the body. Names come from messages, so it is
    made one line of at most :data:`LONGEST_DETAIL` printable characters. ``deliveries`` is how often the message was
    delivered, where that is what it is refused for.
    """

    def __init__(self, reason: Reason, detail: str = "", *, deliveries: int | None = None) -> None:
        self.reason = reason
        self.deliveries = deliveries
        self.detail = one_line(detail, LONGEST_DETAIL)
        super().__init__(f"{reason.value}: {self.detail}" if detail else reason.value)


class ResultRefused(SafeCeleryError):
    """A stored result is not believed: forged, changed, of another task, or of somebody who may not answer for it.

    ``reason`` is a :class:`Reason`, ``task_id`` the id that was asked for. The text carries nothing of the result.
    """

    def __init__(self, reason: Reason | str, task_id: str = "", detail: str = "") -> None:
        self.reason = Reason(reason)
        self.task_id = one_line(task_id, 100)
        self.detail = one_line(detail, LONGEST_DETAIL)
        super().__init__(self.reason.value, self.task_id, self.detail)

    def __str__(self) -> str:
        return f"result of task {self.task_id} refused: {self.reason.value}: {self.detail}"


class ResultTooLarge(SafeCeleryError):
    """A task's result is larger than may be stored. The task ran; what it returned is lost."""


class RemoteError(SafeCeleryError):
    """A task failed with an exception that is not made again in this process.

    ``type_name`` is the dotted name of its class, ``text`` what it said. To get the class itself, list it in the task's
    ``throws`` or in the setting ``results.exceptions``.
    """

    def __init__(self, type_name: str, text: str = "") -> None:
        self.type_name = type_name
        self.text = text
        super().__init__(type_name, text)

    def __str__(self) -> str:
        return f"{self.type_name}: {self.text}" if self.text else self.type_name


class StoreUnavailable(SafeCeleryError):
    """The store of deliveries and outcomes cannot be asked. The text names the server, never a password."""


class StateFileError(SafeCeleryError):
    """A file in which a worker or beat keeps its state cannot be used. It is neither opened otherwise nor changed."""


class OutcomeUnavailable(SafeCeleryError):
    """The operation of an idempotency key was done before, but its outcome could not be kept. It is not done again."""


class TransientError(SafeCeleryError):
    """For tasks to raise, or to subclass: a failure that may pass. Retried with backoff, like connection errors."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`` (did you mean 'time_limit'?)`` for the nearest known name, or the empty string."""
    near = nearest(name, known)
    return f" (did you mean {near!r}?)" if near is not None else ""


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name most like ``name``, as ``difflib.get_close_matches`` has it; None if none is as like as that.

    Most names are out of the question for their length or their letters, which is told a hundred times as fast.
    """
    letters = str.maketrans("", "", name)

    def may_be(other: str) -> bool:
        both = cutoff * (len(name) + len(other))
        if 2 * min(len(name), len(other)) < both:
            return False
        return 2 * (len(other) - len(other.translate(letters))) >= both

    possible = [other for other in known if may_be(other)]
    if not possible:
        return None
    from difflib import get_close_matches  # only a mistake needs it, and the command line starts without

    near = get_close_matches(name, possible, n=1, cutoff=cutoff)
    return near[0] if near else None


def one_line(text: str, most: int) -> str:
    """``text`` fit for one line of a log and for a terminal: what is not printable is escaped (line breaks, the escape
    of ANSI sequences, marks that turn the direction of writing), and what goes beyond ``most`` characters is cut off.
    """
    shown = text[: most + 1]
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in shown)
    return shown if len(shown) <= most and len(text) <= most else f"{shown[:most]}..."
