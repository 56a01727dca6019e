"""Modules and frames: the names a piece of code sees."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from safecelery.deferred import dataclass
from safecelery.lint.model.values import Class, Function, Table, Val

if TYPE_CHECKING:
    from safecelery.lint.ir import Node

__all__ = ["Frame", "Module"]


@dataclass(slots=True, eq=False)
class Module:
    """A module of the tree, and how far it has been run."""

    name: str
    """Dotted."""
    path: str
    """As findings print it."""
    record: Any
    """Where its text is; read when somebody needs it."""
    is_package: bool = False
    relevant: bool = True
    """The file may have to do with Celery; others are run only for the names somebody needs."""
    state: str = "new"
    """"new", "running" or "done"."""
    names: dict[str, Val] = field(default_factory=dict)
    stars: list[str] = field(default_factory=list)
    """External modules of which everything was imported."""
    deferred: list[Val] = field(default_factory=list)
    """Values at the top level that nobody has needed yet."""
    in_classes: list[Val] = field(default_factory=list)
    """The same of attributes of classes."""
    asked: int = 0
    """How often one of these was looked at because a name changed."""
    functions: list[Function] = field(default_factory=list)
    """Every function defined at any level while it ran."""
    table: Table | None = None
    """What ``globals()`` is, once somebody has asked for it; it shares ``names``."""
    hidden: str = ""
    """What may bind names that cannot be seen."""

    @property
    def body(self) -> list[Node]:
        """Its statements."""
        return self.record.ir.get("body", [])  # type: ignore[no-any-return]

    @property
    def unseen(self) -> str:
        """Why it may have names that cannot be seen; empty if all can."""
        return self.hidden or ("names set through globals()" if self.table is not None and self.table.open else "")

    @property
    def calls(self) -> list[Node]:
        """The places in its functions that send tasks."""
        return self.record.ir.get("calls", [])  # type: ignore[no-any-return]

    @property
    def words(self) -> list[str]:
        """Which of :data:`safecelery.lint.mentions.WORDS` its text holds."""
        return self.record.ir.get("words", [])  # type: ignore[no-any-return]

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


@dataclass(slots=True, eq=False)
class Frame:
    """One running block: its names, the frame around it, and what it belongs to."""

    module: Module
    names: dict[str, Val]
    parent: Frame | None = None
    owner: Class | None = None
    """The class whose body this is."""
    method_of: Class | None = None
    """The class whose method this is, for ``super()``."""
    this: Val | None = None
    shared: set[str] = field(default_factory=set)
    """Names declared global or nonlocal."""
    required: tuple[str, ...] = ()
    """Environment variables without which the code raises."""
    returned: Val | None = None
    """What a branch that may have been taken has returned already."""
    leaving: str = ""
    """Why the loop's round may have ended already; empty if it has not."""
    stopping: bool = False
    """By ``break``: then the whole loop may have."""
