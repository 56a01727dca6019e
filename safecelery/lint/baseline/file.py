"""The baseline file: sorted JSON with one entry on each line, so that two branches merge line by line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Final

from safecelery.deferred import dataclass
from safecelery.errors import LintError
from safecelery.lint.atomic import write_atomically
from safecelery.lint.finding import Finding
from safecelery.policy.rules.abstention import UNDECIDED
from safecelery.policy.rules.waivers import WAIVER_EXPIRED

__all__ = ["Entry", "entry_of", "read_baseline", "write_baseline"]

SCHEMA: Final = 1
_NEVER: Final = frozenset({UNDECIDED.code, WAIVER_EXPIRED.code})
"""What was open may turn out to be a fault, and a date that passed was the promise itself."""


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Entry:
    """One known finding. Line and message are for people, and for finding a renamed file again."""

    path: str
    """With slashes, relative to the directory of the baseline file."""
    code: str
    subject: str
    message: str
    fingerprint: str
    line: int


def entry_of(finding: Finding, directory: Path) -> Entry | None:
    """The entry for a finding of a run in the current directory; None for one that is never taken as known."""
    if finding.code in _NEVER:
        return None
    path = os.path.relpath(Path.cwd() / finding.path, directory).replace(os.sep, "/")
    return Entry(
        path=path,
        code=finding.code,
        subject=finding.subject,
        message=finding.message,
        fingerprint=replace(finding, path=path).fingerprint,
        line=finding.line,
    )


def read_baseline(file: Path) -> tuple[Entry, ...]:
    """The entries of a baseline file, sorted.

    Raises LintError, naming file and line, for one that is missing or broken: it is never taken as empty, which would
    report everything again, nor as complete.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise LintError(f"{file}: the baseline cannot be read: {why}; write it with --update-baseline") from None
    try:
        top = json.loads(text)
    except json.JSONDecodeError as error:
        hint = "; a merge left its marks" if _marked(text) else ""
        raise LintError(f"{file}:{error.lineno}: not JSON: {error.msg}{hint}") from None
    except (ValueError, RecursionError) as error:
        raise LintError(f"{file}:1: not JSON: {error}") from None
    if not isinstance(top, dict) or top.get("schema") != SCHEMA or not isinstance(top.get("findings"), list):
        raise LintError(f'{file}:1: not a baseline: "schema" must be {SCHEMA}, and "findings" a list')
    return tuple(sorted({_entry(file, text, number, raw) for number, raw in enumerate(top["findings"])}))


def write_baseline(file: Path, entries: Iterable[Entry]) -> None:
    """Write the entries, in one step. Raises LintError if the file cannot be written."""
    lines = ",\n".join(json.dumps(asdict(entry), ensure_ascii=False, sort_keys=True) for entry in sorted(set(entries)))
    body = f"[\n{lines}\n]" if lines else "[]"
    text = f'{{"schema": {SCHEMA}, "findings": {body}}}\n'
    try:
        write_atomically(file, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise LintError(f"{file}: the baseline cannot be written: {error.strerror or error}") from None


def _entry(file: Path, text: str, number: int, raw: object) -> Entry:
    if isinstance(raw, dict) and raw.keys() == {item.name for item in fields(Entry)}:
        texts = [raw[name] for name in ("path", "code", "subject", "message", "fingerprint")]
        line = raw["line"]
        if all(isinstance(value, str) for value in texts) and isinstance(line, int) and not isinstance(line, bool):
            return Entry(**raw)
    names = ", ".join(item.name for item in fields(Entry))
    raise LintError(f"{file}:{_line_of(text, number)}: entry {number + 1} is broken: it needs {names}")


def _line_of(text: str, number: int) -> int:
    """Where an entry stands, if the file has one on each line as it was written."""
    starts = [line for line, content in enumerate(text.splitlines(), start=1) if content.lstrip().startswith("{")]
    starts = starts[1:] if len(starts) > 1 else starts
    return starts[number] if number < len(starts) else 1


def _marked(text: str) -> bool:
    return any(line.startswith(("<<<<<<<", "=======", ">>>>>>>")) for line in text.splitlines())
