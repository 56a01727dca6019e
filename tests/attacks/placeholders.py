"""Values of a ``case.toml`` that are only known when the case runs, and those that TOML cannot spell.

In text: ``$CANARY`` ``$ID`` ``$OTHER_ID`` ``$ENVELOPE`` ``$OTHER_ENVELOPE``; of results
``$GROUP`` and ``$MEMBER``. As a whole value: ``$NULL``,
``$ISO+60`` and ``$EPOCH-60`` (seconds from now), ``$KID:owner``. As a table:
``{"$nest" = depth}``, ``{"$repeat" = text or list, times = n}``, ``{"$surrogate" = true}`` (half a character) and
``{"$sig" = task, ...}``, a whole signature of Celery's canvas with the given members changed.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["NAMES", "Resolver"]

NAMES = ("CANARY", "ID", "OTHER_ID", "ENVELOPE", "OTHER_ENVELOPE", "GROUP", "MEMBER")
_NAME = re.compile(r"\$(" + "|".join(sorted(NAMES, key=len, reverse=True)) + r")\b")
_TIME = re.compile(r"\$(ISO|EPOCH)([+-]\d+(?:\.\d+)?)")


def _nest(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def _signature(spec: Mapping[str, Any]) -> dict[str, Any]:
    """As ``dict(app.signature(...))`` looks on the wire (celery/canvas.py, ``Signature.__init__``)."""
    plain: dict[str, Any] = {"args": [], "kwargs": {}, "options": {}, "subtask_type": None, "immutable": False}
    return {"task": spec["$sig"], **plain, **{name: value for name, value in spec.items() if name != "$sig"}}


#: Marker member -> the other members it may have (``None``: any), and what makes the value.
_TABLES: dict[str, tuple[frozenset[str] | None, Callable[[Mapping[str, Any]], Any]]] = {
    "$nest": (frozenset(), lambda spec: _nest(spec["$nest"])),
    "$repeat": (frozenset({"times"}), lambda spec: spec["$repeat"] * spec["times"]),
    "$surrogate": (frozenset(), lambda spec: "\ud800"),
    "$sig": (None, _signature),
}


class Resolver:
    """Replaces placeholders. ``names`` fills those in text; ``kid_of`` gives an owner's key id."""

    def __init__(self, names: Mapping[str, str], kid_of: Callable[[str], str]) -> None:
        self._names = names
        self._kid_of = kid_of

    def __call__(self, value: Any) -> Any:
        """The value with every placeholder in it replaced.

        Raises:
            ValueError: a placeholder that is none, or that means nothing at this point of the case.
        """
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, list):
            return [self(item) for item in value]
        if isinstance(value, dict):
            resolved = {name: self(item) for name, item in value.items()}
            markers = [name for name in value if name.startswith("$")]
            return self._table(markers, resolved) if markers else resolved
        return value

    def _text(self, text: str) -> Any:
        if text == "$NULL":
            return None
        if text.startswith("$KID:"):
            return self._kid_of(text.removeprefix("$KID:"))
        if match := _TIME.fullmatch(text):
            kind, seconds = match[1], float(match[2])
            moment = datetime.now(UTC) + timedelta(seconds=seconds)
            return moment.isoformat() if kind == "ISO" else int(time.time() + seconds)
        filled = _NAME.sub(self._named, text)
        if "$" in _NAME.sub("", text):
            raise ValueError(f"unknown placeholder in {text!r}")
        return filled

    def _named(self, match: re.Match[str]) -> str:
        try:
            return self._names[match[1]]
        except KeyError:
            raise ValueError(f"${match[1]} is not known here") from None

    @staticmethod
    def _table(markers: list[str], resolved: dict[str, Any]) -> Any:
        if len(markers) != 1 or markers[0] not in _TABLES:
            raise ValueError(f"unknown value {', '.join(markers)}")
        allowed, make = _TABLES[markers[0]]
        if allowed is not None and resolved.keys() - {markers[0]} != allowed:
            raise ValueError(f"{markers[0]} takes {sorted(allowed)}")
        return make(resolved)
