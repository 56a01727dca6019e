"""Which chord a task's result is for: the callback that the task's own message names (E12.14).

Celery hands results on to whatever a chord's message says. The result says itself to whom it may be handed: a worker
that seals it writes down what the verified message of the task said of its chord, in full.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kombu.utils.json import dumps, loads

from safecelery.message.result import SALT

__all__ = ["Header", "bound_to", "chord_digest", "ids_in", "salt"]

_SALT_BYTES: Final = 16
_KEPT_AS: Final = "_safecelery_chord"


class _Kept(str):
    """A digest that this process made. What came in a message, whose headers and stamps are members of the request
    under any name, is none.
    """


@dataclass(frozen=True, slots=True)
class Header:
    """The tasks whose results somebody gathers for a chord."""

    chord: str
    """The digest of its callback."""
    ids: frozenset[str] = frozenset()
    """Of the tasks, where their results are read one by one."""


def ids_in(results: Any) -> frozenset[str]:
    """The ids of tasks in results as Celery writes them, ``[[id, parent], members]``: not those of groups, nor those of
    the tasks before them (celery/result.py, ``as_tuple``).
    """
    found, pending = set(), [results]
    while pending:
        match pending.pop():
            case [[str() as task_id, *_], None]:
                found.add(task_id)
            case [[str(), *_], list() as members]:
                pending += members
            case list() as several:
                pending += several
    return frozenset(found)


def chord_digest(callback: Mapping[str, Any]) -> str:
    """SHA-256 of a chord's callback as it travels, in hexadecimal digits.

    Args:
        callback: a signature, or what came of one in a message: the same JSON either way.
    """
    travelled = loads(dumps(callback))
    return hashlib.sha256(dumps(travelled, sort_keys=True).encode()).hexdigest()


def bound_to(request: Any) -> str | None:
    """The digest of the chord that a task's request names; ``None`` if it is in no chord's header.

    Celery changes the callback when it sends it, so it is what it was when it was first asked for.
    """
    chord = getattr(request, "chord", None)
    if not isinstance(chord, Mapping) or not chord:
        return None
    known = vars(request)
    if not isinstance(known.get(_KEPT_AS), _Kept):
        known[_KEPT_AS] = _Kept(chord_digest(chord))
    return str(known[_KEPT_AS])


def salt(options: dict[str, Any]) -> None:
    """Make the digest of a callback with these options one that nobody can try arguments against."""
    options.setdefault(SALT, secrets.token_hex(_SALT_BYTES))
