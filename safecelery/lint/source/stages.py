"""What is made of each parsed file: a table of stages, looked up when the first file is parsed.

A stage is ``module:function``. One in TREE_STAGES is called with the tree and the text of the module, one in
TEXT_STAGES with the text. What it returns is JSON-able, because it is cached.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from safecelery._version import __version__
from safecelery.lint import ir

if TYPE_CHECKING:
    import ast

__all__ = ["TEXT_STAGES", "TREE_STAGES", "Stages", "fingerprint", "load_stages"]

TREE_STAGES: Final = {
    "ir": "safecelery.lint.ir.reduce:reduce_module",
    "sites": "safecelery.lint.code:detect",
}
TEXT_STAGES: Final = {"comments": "safecelery.lint.suppress.python:read_comments"}


class Stages:
    """The functions of the table."""

    __slots__ = ("comments", "ir", "sites")

    def __init__(
        self,
        ir: Callable[[ast.Module, str], Any],
        sites: Callable[[ast.Module, str], list[Any]],
        comments: Callable[[str], list[Any]],
    ) -> None:
        self.ir = ir
        self.sites = sites
        self.comments = comments


def load_stages() -> Stages:
    """Import what the table names."""
    return Stages(_function(TREE_STAGES["ir"]), _function(TREE_STAGES["sites"]), _function(TEXT_STAGES["comments"]))


def _function(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found


def fingerprint() -> str:
    """What a cached result depends on besides the file: changes with the version of anything that made it.

    The version of safecelery and of Python, the stages, IR_VERSION, and (for those who work on the linter) size and
    time of every file of the stages' code.
    """
    stages = {*TREE_STAGES.values(), *TEXT_STAGES.values()}
    parts = [__version__, sys.version, repr(sorted({**TREE_STAGES, **TEXT_STAGES}.items()))]
    parts.append(str(ir.IR_VERSION))
    lint = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    made_by = {stage.removeprefix("safecelery.lint.").partition(":")[0].partition(".")[0] for stage in stages}
    for name in sorted({"source", "mentions", "decorators", "nodes", *made_by}):
        parts += _times(os.path.join(lint, name))
    return "\n".join(parts)


def _times(path: str) -> list[str]:
    try:
        one = path + ".py"
        files = [one] if os.path.exists(one) else [os.path.join(path, name) for name in sorted(os.listdir(path))]
        return [
            f"{file} {status.st_size} {status.st_mtime_ns}"
            for file, status in ((file, os.stat(file)) for file in files if file.endswith(".py"))
        ]
    except OSError:  # installed as a zip archive, or without this stage: the version has to do
        return []
