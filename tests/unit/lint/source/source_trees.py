"""Small trees on disk, and stages that show what they were given."""

from __future__ import annotations

import ast
import os
from pathlib import Path

import pytest

from safecelery.lint.source.stages import Stages

LONG_AGO = 1_500_000_000


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def names_defined(tree: ast.Module, source: str) -> dict[str, list[str]]:
    return {"body": [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]}


def lines_of_calls(tree: ast.Module, source: str) -> list[dict[str, int]]:
    return [{"line": node.lineno} for node in ast.walk(tree) if isinstance(node, ast.Call)]


def comment_lines(source: str) -> list[int]:
    return [number for number, line in enumerate(source.split("\n"), 1) if "# safecelery:" in line]


def plain_stages() -> Stages:
    return Stages(names_defined, lines_of_calls, comment_lines)


def forked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The process ids of all children that are forked from here on."""
    children: list[int] = []
    fork = os.fork

    def remembering() -> int:
        pid = fork()
        if pid:
            children.append(pid)
        return pid

    monkeypatch.setattr(os, "fork", remembering)
    return children


class CountingStages(Stages):
    """Remembers how many modules were reduced."""

    def __init__(self) -> None:
        self.count = 0
        super().__init__(self._counted, lines_of_calls, comment_lines)

    __slots__ = ("count",)

    def _counted(self, tree: ast.Module, source: str) -> dict[str, list[str]]:
        self.count += 1
        return names_defined(tree, source)


def run_as_if_old(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """Let files that were written a moment ago count as settled."""
    monkeypatch.setattr("safecelery.lint.source.cache._RACE_NS", -60_000_000_000)


def is_root() -> bool:
    return os.getuid() == 0
