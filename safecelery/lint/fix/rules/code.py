"""Calls in the code of tasks (7xx). Unsafe: what hung or was believed without a question now fails."""

from __future__ import annotations

import ast
from typing import Final

from safecelery.lint.finding import Finding
from safecelery.lint.fix.arguments import add_keyword, keyword_of, remove_keyword, replace_value, spreads
from safecelery.lint.fix.edits import Edit, Fix
from safecelery.lint.fix.places import calls_at, last_name
from safecelery.lint.fix.rules.fixer import one
from safecelery.lint.fix.source import Source
from safecelery.policy.limits import Limits

__all__ = ["http_timeout", "ssh_policy", "verify_off"]

_SECONDS: Final = "10"
"""Longer than any healthy peer takes to answer, shorter than any time limit worth having."""


def http_timeout(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Give the one call on the line that the message speaks of a timeout of ten seconds."""
    calls = [call for call in calls_at(source, finding.line) if _waits(finding, call)]
    exact = [call for call in calls if f"({source.text[slice(*source.span(call.func))]} with" in finding.message]
    calls = exact or calls  # under another name of the module, the last part must do
    if len(calls) != 1:
        return ()
    (call,) = calls
    stated = keyword_of(call, "timeout")
    if stated is None:
        edits = add_keyword(source, call, f"timeout={_SECONDS}")
    elif isinstance(stated.value, ast.Constant) and stated.value.value is None:
        edits = replace_value(source, stated.value, _SECONDS)
    else:
        edits = ()
    return one(f"state timeout={_SECONDS}", edits, safe=False)


def _waits(finding: Finding, call: ast.Call) -> bool:
    name = last_name(call.func)
    # The message names the call in full, by the module it comes from: "requests.get without timeout".
    spoken_of = bool(name) and (f".{name} with" in finding.message or f"({name} with" in finding.message)
    return spoken_of and not spreads(call)


def ssh_policy(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Refuse hosts whose key is not known."""
    fixes: list[Fix] = []
    for call in calls_at(source, finding.line):
        for node in (part for argument in call.args for part in ast.walk(argument)):
            if isinstance(node, ast.Attribute) and node.attr in ("AutoAddPolicy", "WarningPolicy"):
                end = source.span(node)[1]
                edits = (Edit(end - len(node.attr), end, "RejectPolicy"),)
                fixes += one("use RejectPolicy", edits if source.text[:end].endswith(node.attr) else (), safe=False)
    return tuple(dict.fromkeys(fixes))


def verify_off(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Let the certificate be checked."""
    fixes: list[Fix] = []
    for call in calls_at(source, finding.line):
        stated = keyword_of(call, "verify")
        if stated is not None and isinstance(stated.value, ast.Constant) and stated.value.value is False:
            fixes += one("remove verify=False", remove_keyword(source, call, stated), safe=False)
    return tuple(fixes)
