"""What a caller believed: the truth, a lie, or that it is being lied to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Belief", "judge"]

Kind = Literal["true", "refused", "believed", "disturbed", "hung", "died"]
#: Exceptions that say that something could not be read, whatever text of the lie they repeat.
COMPLAINTS = (
    "celery.exceptions.SecurityError",
    "celery.exceptions.BackendGetMetaError",
    "celery.exceptions.ContentDisallowed",
    "kombu.exceptions.",
    "json.decoder.",
    "builtins.UnicodeDecodeError",
    "builtins.RecursionError",
    "zlib.error",
)
REFUSAL = "safecelery.errors.ResultRefused"


@dataclass(frozen=True, slots=True)
class Belief:
    """One reading of a result."""

    kind: Kind
    note: str = ""


def judge(said: Mapping[str, Any], truth: Mapping[str, Any], lies: Iterable[str]) -> Belief:
    """What one reading came to.

    Args:
        said: the caller's report: ``value``, or ``raised`` with ``text`` and ``reason``, or ``timeout``.
        truth: ``value``, or ``raised`` (the end of a class name) and ``text``.
        lies: texts of which none is in a true result.
    """
    if "timeout" in said:
        return Belief("hung", "nothing came")
    if "raised" not in said:
        if "value" in truth and said["value"] == truth["value"]:
            return Belief("true")
        return Belief("believed", json.dumps(said["value"])[:80])
    kind, text = str(said["raised"]), str(said["text"])
    if kind == REFUSAL:
        return Belief("refused", str(said["reason"]))
    if "raised" in truth and kind.endswith(truth["raised"]) and truth["text"] in text:
        return Belief("true")
    if kind == "celery.exceptions.ChordError" and not any(lie in text for lie in lies):
        return Belief("refused", "ChordError")
    if kind.startswith(COMPLAINTS) or not any(lie in text for lie in lies):
        return Belief("disturbed", kind.rpartition(".")[2])
    return Belief("believed", f"{kind.removeprefix('builtins.')}: {text[:60]}")
