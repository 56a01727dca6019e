"""Fixing the files of a run."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from safecelery.deferred import dataclass
from safecelery.lint.atomic import write_atomically
from safecelery.lint.config import LintConfig
from safecelery.lint.finding import Finding, LintResult
from safecelery.lint.fix.one_file import fix_source
from safecelery.lint.fix.source import Source, Unfixable
from safecelery.lint.fix.table import is_fixable
from safecelery.policy.profile import load_policy

__all__ = ["FixReport", "fix_files"]

_PYTHON = (".py", ".pyi", ".pyw")


@dataclass(frozen=True, slots=True)
class FixReport:
    """What became of a run's findings."""

    fixed: Mapping[str, int] = field(default_factory=dict)
    """By code: how many findings were fixed, or would be."""
    diffs: tuple[str, ...] = ()
    """A unified diff for each file that changes, if nothing was written."""
    refused: tuple[str, ...] = ()
    """``path: why`` for each file or fix that was left alone."""
    changed: tuple[str, ...] = ()
    """The paths of the files that were, or would be, changed."""
    unsafe: int = 0
    """How many findings are left that ``--unsafe-fixes`` would fix."""


def fix_files(result: LintResult, config: LintConfig, *, unsafe: bool, write: bool) -> FixReport:
    """Fix what was found, file by file. With ``write`` off, nothing is written and the report holds diffs.

    A file is written in one step or not at all, keeps its mode, encoding and line ends, and must parse to the same tree
    outside of what was edited. Raises PolicyFileError if the policy, whose numbers fixes use, cannot be read.
    """
    by_path: defaultdict[str, list[Finding]] = defaultdict(list)
    for finding in result.findings:
        if is_fixable(finding.code):
            by_path[finding.path].append(finding)
    if not by_path:
        return FixReport()
    limits = load_policy(config.policy).limits
    fixed: Counter[str] = Counter()
    diffs: list[str] = []
    refused: list[str] = []
    changed: list[str] = []
    left = 0
    for path, findings in sorted(by_path.items()):
        try:
            before = _read(path, config.root)
            done = fix_source(before, findings, limits, unsafe=unsafe)
            refused += (f"{path}: {reason}" for reason in done.refused)
            left += len(done.unsafe)
            if done.source.text == before.text:
                continue
            if write:
                write_atomically(Path(path), done.source.encode(done.source.text))
            else:
                diffs.append(_diff(path, before.text, done.source.text))
        except (Unfixable, RecursionError) as error:
            refused.append(f"{path}: left alone, as {error}")
        except OSError as error:
            refused.append(f"{path}: left alone: {error.strerror or error}")
        else:
            changed.append(path)
            fixed.update(finding.code for finding in done.fixed)
    return FixReport(dict(sorted(fixed.items())), tuple(diffs), tuple(refused), tuple(changed), left)


def _read(path: str, root: Path) -> Source:
    """The file, unless a symbolic link leads to it from inside of the project to outside of it."""
    real = Path(os.path.realpath(path))
    here = [Path(os.path.realpath(directory)) for directory in (Path.cwd(), root)]
    lexical = Path(os.path.normpath(Path.cwd() / path))
    inside = any(directory in real.parents for directory in here)
    named = any(lexical.is_relative_to(directory) for directory in (Path.cwd(), root))
    if not inside and (named or lexical.is_symlink()):
        raise Unfixable(f"it is a symbolic link out of the project, to {real}")
    if not real.is_file():
        raise Unfixable("it is not a regular file")
    return Source(real.read_bytes(), python=path.endswith(_PYTHON))


def _diff(path: str, before: str, after: str) -> str:
    from difflib import unified_diff

    shown = Path(path).as_posix()
    lines = unified_diff(_lines(before), _lines(after), shown, shown)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Cut at line feeds only, as the rest of the world does."""
    lines = [f"{line}\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines if lines[-1] else lines[:-1]
