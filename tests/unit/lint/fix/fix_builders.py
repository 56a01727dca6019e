"""Findings and sources for tests of fixes."""

from __future__ import annotations

from typing import Any

from safecelery.lint.finding import Finding
from safecelery.lint.fix.one_file import FixedFile, fix_source
from safecelery.lint.fix.source import Source
from safecelery.policy import Level, Severity
from safecelery.policy.limits import Limits

LIMITS = Limits(
    max_time_limit_s=3600,
    max_soft_time_limit_s=3570,
    max_retries=10,
    max_retry_backoff_s=600,
    max_message_bytes=1_048_576,
    max_message_age_s=604_800,
    max_eta_s=2_592_000,
    max_clock_skew_s=60,
    allowed_pools=("prefork",),
    tls_floor="TLSv1.2",
    max_deliveries=5,
    max_canvas_signatures=1000,
)


def found(code: str, line: int = 1, message: str = "", **changes: Any) -> Finding:
    values: dict[str, Any] = {"name": "a-rule", "severity": Severity.HIGH, "level": Level.ERROR, "fix": ""}
    values |= {"path": "shop/tasks.py", "subject": "shop.tasks.charge"}
    return Finding(code=code, line=line, message=message, **(values | changes))


def fixed_bytes(raw: bytes, *findings: Finding, unsafe: bool = True, python: bool = True) -> FixedFile:
    return fix_source(Source(raw, python=python), findings, LIMITS, unsafe=unsafe)


def fixed(text: str, *findings: Finding, unsafe: bool = True, python: bool = True) -> str:
    return fixed_bytes(text.encode(), *findings, unsafe=unsafe, python=python).source.text
