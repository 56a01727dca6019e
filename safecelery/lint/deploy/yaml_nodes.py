"""What the YAML reader makes of a document: texts, lists, maps, and what it did not understand."""

from __future__ import annotations

from dataclasses import field
from typing import TypeAlias

from safecelery.deferred import dataclass

__all__ = ["Map", "Node", "Opaque", "Scalar", "Seq"]


@dataclass(slots=True)
class Scalar:
    """A text, and whether it stood in quotes or a block. Template expressions in it are holes."""

    text: str
    line: int
    quoted: bool = False


@dataclass(slots=True)
class Opaque:
    """Something that was not understood, or that only a template knows."""

    line: int


@dataclass(slots=True)
class Seq:
    """A list."""

    items: list[Node]
    line: int
    templated: bool = False


@dataclass(slots=True)
class Map:
    """A map. ``templated``: a template prints further keys into it."""

    items: dict[str, Node]
    line: int
    templated: bool = False
    lines: dict[str, int] = field(default_factory=dict)
    """Where each key stands."""

    def get(self, *keys: str) -> Node | None:
        """What stands under the keys, one inside the other. None: absent; Opaque where that cannot be told."""
        node: Node = self
        for key in keys:
            if isinstance(node, Opaque):
                return node
            if not isinstance(node, Map):
                return None
            if key not in node.items:
                return Opaque(node.line) if node.templated else None
            node = node.items[key]
        return node


Node: TypeAlias = Scalar | Opaque | Seq | Map
