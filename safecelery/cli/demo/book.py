"""The witness: the book that the order service keeps of what it really did. It knows neither Celery nor safecelery."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Book"]


@dataclass(frozen=True, slots=True)
class Book:
    """One service's book (``examples/orders/book.py``)."""

    path: Path

    def lines(self) -> list[dict[str, Any]]:
        """Everything entered so far, oldest first."""
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]

    def count(self, members: Mapping[str, Any]) -> int:
        """How many lines have these members."""
        return sum(members.items() <= line.items() for line in self.lines())
