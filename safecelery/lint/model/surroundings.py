"""What surrounds a worker while it reads its configuration: its command line, its platform, its file system.

Facts are those of a worker, so code that asks what it was started as gets a worker's answers: ``"test" in sys.argv`` is
false.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from safecelery.lint.model.values import Ext, Seq, Val

__all__ = ["ABSENT_FILES", "constant", "named"]

_ARGV: Final = ("celery", "worker")
_CONSTANTS: Final[Mapping[str, Any]] = {
    "sys.platform": "linux",
    "os.name": "posix",
    "os.sep": "/",
    "os.path.sep": "/",
    "os.linesep": "\n",
    "sys.maxsize": 2**63 - 1,
}
ABSENT_FILES: Final = ("the file system",)
"""What a value depends on that holds as long as a file is not there."""


def constant(dotted: str) -> Val | None:
    """A value of the interpreter's or the operating system's that a worker is sure to meet."""
    if dotted == "sys.argv":
        return Val(Seq("l", [Val(part) for part in _ARGV]))
    return Val(_CONSTANTS[dotted]) if dotted in _CONSTANTS else None


def named(dotted: str) -> Val:
    """Something outside the tree by its dotted name: its value where that is known."""
    return constant(dotted) or Val(Ext(dotted))
