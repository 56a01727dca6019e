"""A dead letter as rows for people and members for tools: everything but the payload."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from safecelery.lint.report.characters import visible

if TYPE_CHECKING:
    from safecelery.runtime.dead_letters.stream import Entry

__all__ = ["HEAD", "cut", "describe", "row", "task_text"]

HEAD = ("ID", "REFUSED (UTC)", "REASON", "TASK", "QUEUE", "SIGNED BY", "SEALED BY")
_WIDEST = 48


def cut(text: str | None, width: int = _WIDEST) -> str:
    """On one line, harmless to a terminal, no wider than that: the names in a letter may be anybody's."""
    shown = visible("-" if text is None else text[: width * 4])
    return shown if len(shown) <= width else shown[: width - 3] + "..."


def task_text(verified: str | None, claimed: str | None) -> str:
    """The task's name; with a question mark where nobody signed it."""
    if verified is not None:
        return cut(verified)
    return "-" if claimed is None else cut(claimed) + "?"


def row(entry: Entry) -> tuple[str, ...]:
    """One line of the table."""
    letter, seal = entry.letter, entry.seal
    if letter is None:
        return entry.id[:12], "-", entry.reason, "-", "-", "-", cut(seal.key) if seal.key else "nobody"
    return (
        entry.id[:12],
        f"{letter.at:%Y-%m-%d %H:%M:%S}",
        letter.reason,
        task_text(letter.task, letter.claimed_task),
        cut(letter.queue),
        cut(letter.key),
        cut(seal.key) if seal.key else "nobody",
    )


def describe(entry: Entry) -> dict[str, Any]:
    """Everything about the entry that is no payload, for JSON."""
    letter, seal = entry.letter, entry.seal
    known: dict[str, Any] = {"id": entry.id, "reason": entry.reason, "sealed_by": seal.key}
    if seal.key is None:
        known["not_sealed"] = seal.why_not
    if letter is None:
        return {**known, "why_not": entry.why_not, "bytes": len(entry.found.body)}
    return {
        **known,
        "detail": letter.detail,
        "at": letter.at.astimezone(UTC).isoformat(),
        "age_s": max(0, int(datetime.now(UTC).timestamp() - letter.at.timestamp())),
        "queue": letter.queue,
        "worker": letter.worker,
        "key": letter.key,
        "task": letter.task,
        "task_id": letter.task_id,
        "claimed_task": letter.claimed_task,
        "deliveries": letter.deliveries,
        "body_bytes": len(letter.original.body),
    }
