"""What the linter reports: one finding, and the result of a whole run."""

from __future__ import annotations

from dataclasses import field
from typing import Final

from safecelery.deferred import dataclass
from safecelery.policy.document import Level
from safecelery.policy.rule import Severity

__all__ = ["Because", "Finding", "LintResult", "TaskRow", "Unread"]


@dataclass(frozen=True, slots=True)
class Because:
    """One link of the chain of evidence: ``config/settings.py:93 CELERY_TASK_TIME_LIMIT = 43200``."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.what} at {self.file}:{self.line}" if self.line else f"{self.what} in {self.file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One broken rule at one place, or one that could not be decided there."""

    code: str
    """``SFC401``."""
    name: str
    """``hard-time-limit-missing``."""
    severity: Severity
    level: Level
    """ERROR fails the run, WARN does not."""
    message: str
    """A sentence without place and code: ``shop.tasks.charge has no hard time limit ...``."""
    fix: str
    """An instruction."""
    path: str
    """With slashes; relative to the directory the run started in where it lies below it."""
    line: int
    """From 1; 0 stands for the file as a whole."""
    column: int = 1
    """From 1, in characters."""
    subject: str = ""
    """The task, app, call or process: ``shop.tasks.charge``."""
    because: tuple[Because, ...] = ()
    """Where the values came from, nearest first."""
    env: tuple[str, ...] = ()
    """The environment variables whose defaults were taken."""
    fixable: bool = False
    """``--fix`` or ``--unsafe-fixes`` knows what to write."""
    number: int = 0
    """Tells findings apart that agree in code, path, subject and message: 0 for the first of them in the file, 1..."""
    rule: str = ""
    """Of an undecided one: the code of the rule that could not be decided, where ``code`` is not that itself."""
    blocked_by: str = ""
    """Of an undecided one: the expression that could not be read, as written: ``env.int("LIMIT")``."""
    covers: tuple[tuple[str, str, str], ...] = ()
    """Of an undecided one: code, subject and path of each verdict that the same expression leaves open."""
    cause: Because | None = None
    """Where one change would settle this finding and every other with the same cause: a setting of the app."""
    reason: str = ""
    """Of a suppressed one: why it is excused, in the words of the comment or the waiver."""
    waived: bool = False
    """Of a suppressed one: by a waiver of the policy, not by a comment."""

    @property
    def fingerprint(self) -> str:
        """The same after lines moved; for baselines and for services that track findings between runs."""
        import hashlib  # loads OpenSSL; most formats print no fingerprint

        text = "\0".join((self.code, self.path, self.subject, self.message, str(self.number)))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Unread:
    """A file, or a part of one, that could not be read: why the exit status is 2."""

    path: str
    line: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """One task, for the matrix of the HTML report."""

    name: str
    path: str
    line: int
    app: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LintResult:
    """All of one run. Every tuple is in order of path, line, code."""

    findings: tuple[Finding, ...] = ()
    """What counts: neither suppressed nor in the baseline."""
    undecided: tuple[Finding, ...] = ()
    """SFC002: what would have decided could not be read."""
    suppressed: tuple[Finding, ...] = ()
    """Excused by a comment with a reason, or by a waiver of the policy."""
    baselined: tuple[Finding, ...] = ()
    """Known from the baseline."""
    unread: tuple[Unread, ...] = ()
    tasks: tuple[TaskRow, ...] = ()
    rules: tuple[str, ...] = ()
    """The codes of the rules that were checked, those that nothing breaks too; empty: not told."""
    policy: str = "baseline"
    files: int = 0
    """How many files were looked at."""
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())
    """What the reader should know: two apps in one tree, a settings module that was assumed."""

    @property
    def exit_status(self) -> int:
        """2 if not everything could be read, else 1 if an error was found, else 0."""
        if self.unread:
            return 2
        return int(any(finding.level is Level.ERROR for finding in self.findings))


SEVERITY_ORDER: Final = tuple(Severity)
"""Worst first."""
