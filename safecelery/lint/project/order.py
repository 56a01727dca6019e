"""What a run needs before it begins: which modules come first, and which are the Django settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from safecelery.lint.finding import Because
from safecelery.lint.ir import Node
from safecelery.lint.model.scope import Module

__all__ = ["app_first", "settings_modules"]


def app_first(module: Module) -> tuple[int, str]:
    """Modules that make an app run first, as they do when a worker starts."""
    makes = any(
        node[0] in ("=", "ann") and _mentions_celery_call(node[3] if node[0] == "=" else node[4])
        for node in module.body
    )
    return (0 if makes else 1, module.path)


def _mentions_celery_call(node: Node | None) -> bool:
    if node is None or node[0] != "c":
        return False
    function = node[2]
    last = function[3] if function[0] == "a" else function[2] if function[0] == "n" else ""
    return isinstance(last, str) and "celery" in last.lower()


def settings_modules(modules: list[Module]) -> list[tuple[str, Because]]:
    """What the tree sets ``DJANGO_SETTINGS_MODULE`` to, files that make Celery apps first."""
    found: list[tuple[int, str, Because]] = []
    for module in modules:
        if "DJANGO_SETTINGS_MODULE" not in module.words:
            continue
        for line, value in _assigned(module.body, "DJANGO_SETTINGS_MODULE"):
            last = module.path.rpartition("/")[2]
            rank = (
                0
                if "celery" in last.lower()
                else 1
                if last in ("wsgi.py", "asgi.py")
                else 2
                if last == "manage.py"
                else 3
            )
            found.append((rank, value, Because(module.path, line, "DJANGO_SETTINGS_MODULE")))
    found.sort(key=lambda item: (item[0], item[2].file))
    return [(value, because) for _, value, because in found]


def _assigned(body: list[Any], variable: str) -> Iterator[tuple[int, str]]:
    """Text constants that code gives an environment variable."""
    stack: list[Any] = list(reversed(body))
    while stack:
        node = stack.pop()
        if not isinstance(node, list):
            continue
        if (
            len(node) == 5
            and node[0] == "c"
            and len(node[3]) == 2
            and node[3][0][0] == "k"
            and node[3][0][2] == variable
        ):
            value = node[3][1]
            if value[0] == "k" and isinstance(value[2], str) and value[2]:
                yield node[1], value[2]
        elif len(node) == 4 and node[0] == "=" and node[3][0] == "k" and isinstance(node[3][2], str):
            for target in node[2]:
                if target[0] == "x" and target[3][0] == "k" and target[3][2] == variable:
                    yield node[1], node[3][2]
        stack.extend(part for part in reversed(node) if isinstance(part, list))
