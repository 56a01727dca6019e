"""Fixing one text: choose fixes that do not get in each other's way, make them, prove them, look again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from safecelery.deferred import dataclass
from safecelery.lint.finding import Because, Finding
from safecelery.lint.fix.check import same_outside
from safecelery.lint.fix.edits import Edit, Fix, edited, overlap, shifted
from safecelery.lint.fix.source import Source, Unfixable
from safecelery.lint.fix.table import fixer_of, is_fixable
from safecelery.policy.limits import Limits

__all__ = ["FixedFile", "fix_source"]

_PASSES: Final = 10


@dataclass(frozen=True, slots=True)
class FixedFile:
    """What became of one text."""

    source: Source
    fixed: tuple[Finding, ...]
    """As they were given."""
    unsafe: tuple[Finding, ...]
    """Still there, at least in part: what would repair them is unsafe, and that was not asked for."""
    refused: tuple[str, ...]
    """Fixes that did not keep their promise and were not made, each with its reason."""


def fix_source(source: Source, findings: Sequence[Finding], limits: Limits, *, unsafe: bool) -> FixedFile:
    """Fix what can be fixed. Raises Unfixable, and then nothing has been changed."""
    now = {index: finding for index, finding in enumerate(findings) if is_fixable(finding.code)}
    fixed: set[int] = set()
    left: set[int] = set()
    refused: dict[tuple[int, str], str] = {}
    for _ in range(_PASSES):
        chosen: list[tuple[int, Fix]] = []
        taken: list[Edit] = []
        for index, finding in now.items():
            for fix in fixer_of(finding.code)(source, finding, limits):
                if (index, fix.description) in refused:
                    continue
                if not fix.safe and not unsafe:
                    left.add(index)
                elif not overlap([*taken, *fix.edits]):
                    chosen.append((index, fix))
                    taken += fix.edits
        if not chosen:
            break
        after = _made(source, taken) if source.python else source.with_text(edited(source.text, taken))
        if after is None:
            bad = [(index, fix) for index, fix in chosen if _made(source, fix.edits) is None] or chosen
            for index, fix in bad:
                place = f"{now[index].code} at line {now[index].line}"
                refused[index, fix.description] = f"{place}: to {fix.description} would change more than it should"
            continue
        fixed |= {index for index, _ in chosen}
        now = {index: _moved(finding, source, taken) for index, finding in now.items()}
        source = after
    return FixedFile(
        source,
        tuple(findings[index] for index in sorted(fixed - left)),
        tuple(findings[index] for index in sorted(left)),
        tuple(refused.values()),
    )


def _made(source: Source, edits: Sequence[Edit]) -> Source | None:
    """The source after edits; None if it no longer parses, or differs elsewhere."""
    try:
        after = source.with_text(edited(source.text, edits))
        return after if same_outside(source, after, edits) else None
    except (Unfixable, UnicodeEncodeError):
        return None


def _moved(finding: Finding, source: Source, edits: Sequence[Edit]) -> Finding:
    """The finding, and its evidence in the same file, at their new lines."""

    def moved(line: int) -> int:
        return shifted(line, edits, source.starts, source.text)

    because = tuple(
        Because(link.file, moved(link.line), link.what) if link.file == finding.path else link
        for link in finding.because
    )
    return replace(finding, line=moved(finding.line), because=because)
