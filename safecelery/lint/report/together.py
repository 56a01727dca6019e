"""Many findings that one setting decides, shown as the one decision they are.

Only the text formats do this: the result keeps a finding for each task, for baselines, for comments and for the matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from safecelery.lint.finding import Because, Finding

__all__ = ["shared", "together"]

_FEWEST: Final = 4
"""So many findings are shown as one."""
_EXAMPLES: Final = 3

_Key = tuple[str, str, Because]


def shared(findings: Sequence[Finding]) -> dict[_Key, list[Finding]]:
    """The findings of one rule and level that have one cause, where these are many."""
    groups: dict[_Key, list[Finding]] = {}
    for finding in findings:
        if finding.cause is not None:
            groups.setdefault((finding.code, finding.level, finding.cause), []).append(finding)
    return {key: group for key, group in groups.items() if len(group) >= _FEWEST}


def together(findings: Sequence[Finding]) -> Iterator[Finding]:
    """The findings in their order; in the place of the first one with a shared cause stands one for all of these."""
    groups = shared(findings)
    if not groups:
        yield from findings
        return
    done: set[_Key] = set()
    for finding in findings:
        key = (finding.code, finding.level, finding.cause) if finding.cause is not None else None
        group = groups.get(key) if key is not None else None
        if key is None or group is None:
            yield finding
        elif key not in done:
            done.add(key)
            yield _one(group, key[2])


def _one(group: list[Finding], cause: Because) -> Finding:
    first = group[0]
    said = {finding.message.removeprefix(finding.subject).strip() for finding in group}
    text = said.pop() if len(said) == 1 else first.message.removeprefix(first.subject).strip().rpartition(" (")[0]
    setting, comma, _ = cause.what.partition(",")
    examples = tuple(
        Because(finding.path, finding.line, f"{'' if number else 'for example '}{finding.subject}")
        for number, finding in enumerate(group[:_EXAMPLES])
    )
    more = f"and {len(group) - _EXAMPLES} more tasks" if len(group) > _EXAMPLES else ""
    verb = "set" if comma else "change"
    return replace(
        first,
        message=f"each of {len(group)} tasks {text}",
        fix=f"{verb} {setting}, which decides for all of them; or, for a single task: {first.fix}",
        path=cause.file,
        line=cause.line,
        column=1,
        subject=f"{len(group)} tasks",
        env=tuple(name for name in first.env if all(name in finding.env for finding in group)),
        because=(*examples, *((Because("", 0, more),) if more else ())),
    )
