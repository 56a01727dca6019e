"""The settings that the code in a rule page states: ``app.conf.update(...)`` and ``app.conf.x = ...`` with literals.

Enough to hold a page to its rule without the linter; a page that needs more says so by failing here.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from safecelery.policy.facts import UNKNOWN, Facts
from tests.unit.policy.policy_builders import facts_in, some_settings

__all__ = ["settings_facts_in"]

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def settings_facts_in(section: str) -> list[Facts]:
    """One for each block."""
    found: list[Facts] = []
    for language, text in _FENCE.findall(section):
        if language == "python":
            found.append(some_settings(_stated(ast.parse(text))))
        else:
            found += facts_in(f"```{language}\n{text}```")
    return found


def _stated(tree: ast.Module) -> dict[str, Any]:
    stated: dict[str, Any] = {}
    for node in tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            assert ast.unparse(node.value.func) == "app.conf.update"
            stated |= {word.arg or "": _value(word.value) for word in node.value.keywords}
        elif isinstance(node, ast.Assign):
            owner, _, name = ast.unparse(node.targets[0]).rpartition(".")
            assert owner == "app.conf"
            stated[name] = _value(node.value)
    assert stated
    return stated


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Dict):
        return {ast.literal_eval(key): _value(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    text = ast.unparse(node)
    if text.startswith("ssl."):
        return text
    if isinstance(node, ast.Call):
        assert text.startswith("os.environ.get(")
        return _value(node.args[1])
    return UNKNOWN if text.startswith("os.environ[") else ast.literal_eval(node)
