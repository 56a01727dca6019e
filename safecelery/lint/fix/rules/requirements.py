"""Pinned versions with known holes (SFC980). Unsafe: another version of a package is another program."""

from __future__ import annotations

import re

from safecelery.lint.finding import Finding
from safecelery.lint.fix.edits import Edit, Fix
from safecelery.lint.fix.rules.fixer import one
from safecelery.lint.fix.source import Source
from safecelery.policy.limits import Limits

__all__ = ["raise_pin"]

_FIXED = re.compile(r"fixed in ([0-9]+(?:\.[0-9]+)*)")


def raise_pin(source: Source, finding: Finding, _: Limits) -> tuple[Fix, ...]:
    """Raise ``name==version`` in a requirements file or in pyproject.toml to the version that the message names.

    A pin with hashes is left alone, for they would have to change too, and so are lock files: their tools write them.
    """
    name = finding.subject.removeprefix("requirement ")
    fixed = [_numbers(version) for version in _FIXED.findall(finding.message)]
    readable = finding.path.endswith((".txt", ".in")) or finding.path.rpartition("/")[2] == "pyproject.toml"
    if not fixed or not readable or not 1 <= finding.line <= len(source.starts):
        return ()
    start = source.starts[finding.line - 1]
    line = source.text[start : source.line_end(start)]
    loose = re.escape(name).replace("\\-", "[-_.]+")  # PEP 503
    pins = list(
        re.finditer(rf"(?<![\w.-])({loose})(\[[^\]]*\])?\s*==\s*([0-9]+(?:\.[0-9]+)*)(?=[\s;#\"',]|$)", line, re.I)
    )
    if len(pins) != 1 or "--hash" in line or line.rstrip().endswith("\\"):
        return ()
    begin, end = pins[0].span(3)
    best = max(fixed)
    if _numbers(pins[0][3]) >= best:
        return ()
    text = ".".join(map(str, best))
    return one(f"raise {name} to {text}", (Edit(start + begin, start + end, text),), safe=False)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
