"""Secrets are taken out of a report here, for every format.

What a linter prints ends up in logs that more people read than the code. A source line or a message is masked before
any format sees it: passwords in URLs, literals given to a name that sounds like a secret, private keys, and tokens of
well-known shapes. It is better to mask a harmless word than to print a secret. Masking twice changes nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Final

from safecelery.lint.finding import Because, Finding, LintResult, Unread

__all__ = ["MASK", "WORDS", "masked", "masked_result"]

MASK: Final = "***"

_LONGEST: Final = 4_000
"""Characters of a text that are looked at; what follows is cut off. Bounds the time a hostile line can take."""

WORDS: Final = ("pass", "pwd", "secret", "token", "key", "credential", "auth", "bearer", "basic")
"""One of them is in every name of safecelery.lint.report.secret_names; looked for first because it is cheap."""

_URL: Final = re.compile(r"://((?:(?!://)[^\s'\"<>`])*)@")
_USER: Final = re.compile(r"[\w.-]{0,16}")
_LONE_USER: Final = re.compile(r"[A-Za-z][A-Za-z_.-]{0,15}")
# What stands for a value that is somewhere else, and so is none: {HOST}, ${HOST}, $HOST, %s, %(host)s, and our mask.
_PLACEHOLDER: Final = re.compile(r"(?:\*{3,}|\{[\w.\[\]()!]*\}|\$\{\w+\}|\$[A-Z_][A-Z0-9_]*|%s|%\(\w+\)s)+")
_NO_SECRET: Final = frozenset({"", "none", "null", "true", "false", "unknown", "absent", "default"})

# The name of a variable that holds a secret is none: SecretStr(env["DB_PASSWORD"])
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")

_SHAPES: Final = re.compile(
    r"-----BEGIN[ A-Z]*PRIVATE KEY-----.*?(?:-----END[ A-Z]*-----|\Z)"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abeoprs]-[\w-]{10,}|\b[sr]k_(?:live|test)_\w{10,}"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
    r"|\b[0-9a-fA-F]{32,}\b"
    r"|(?<![A-Za-z0-9+/])(?=[A-Za-z+/]*[0-9])(?=[0-9A-Z+/]*[a-z])(?=[0-9a-z+/]*[A-Z])[A-Za-z0-9+]{32,}={0,2}",
    re.DOTALL,
)

_BEGINNINGS: Final = (
    "-----BEGIN", "AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "k_live_",
    "k_test_", "eyJ",
)  # fmt: skip
_LONG: Final = re.compile(r"[0-9A-Za-z+]{32}")
"""Without one of these no text has one of the shapes; looked for first because it is cheap."""


@lru_cache(maxsize=1024)
def masked(text: str, *, python: bool = False) -> str:
    """The text without the secrets that can be told to be some.

    ``python``: the text is a line of Python, where ``password=name`` holds no secret but ``password="name"`` does.
    """
    if len(text) > _LONGEST:
        text = _cut(text)
    if "://" in text:
        text = _URL.sub(_without_password, text)
    if _LONG.search(text) or any(beginning in text for beginning in _BEGINNINGS):
        text = _SHAPES.sub(MASK, text)
    if not _sounds_secret(text):
        return text
    from safecelery.lint.report.secret_names import ANYWHERE, BARE

    for pattern in ANYWHERE:
        text = pattern.sub(_without_value, text)
    if not python:
        return BARE.sub(_without_value, text)
    code, mark, comment = text.rpartition("#")
    return code + mark + BARE.sub(_without_value, comment) if mark else text


def masked_result(result: LintResult) -> LintResult:
    """The result with every text masked, its findings still told apart by their fingerprints."""
    seen: set[tuple[object, ...]] = set()

    def each(findings: Iterable[Finding]) -> tuple[Finding, ...]:
        return tuple(_told_apart(_masked_finding(finding), seen) for finding in findings)

    return replace(
        result,
        findings=each(result.findings),
        undecided=each(result.undecided),
        suppressed=each(result.suppressed),
        baselined=each(result.baselined),
        unread=tuple(Unread(item.path, item.line, masked(item.message)) for item in result.unread),
        tasks=tuple(replace(row, name=masked(row.name)) for row in result.tasks),
        notes=tuple(masked(note) for note in result.notes),
    )


def _masked_finding(finding: Finding) -> Finding:
    return replace(
        finding,
        message=masked(finding.message),
        subject=masked(finding.subject),
        fix=masked(finding.fix),
        because=tuple(Because(link.file, link.line, masked(link.what)) for link in finding.because),
        blocked_by=masked(finding.blocked_by),
        covers=tuple((code, masked(subject), path) for code, subject, path in finding.covers),
        cause=finding.cause and Because(finding.cause.file, finding.cause.line, masked(finding.cause.what)),
        reason=masked(finding.reason),
    )


def _told_apart(finding: Finding, seen: set[tuple[object, ...]]) -> Finding:
    """Two findings that differed in a secret only would agree now; services drop one of two equal fingerprints."""
    what = (finding.code, finding.path, finding.subject, finding.message)  # what the fingerprint is made of
    number = finding.number
    while (*what, number) in seen:
        number += 1
    seen.add((*what, number))
    return finding if number == finding.number else replace(finding, number=number)


def _without_password(match: re.Match[str]) -> str:
    user, colon, password = match[1].partition(":")
    if not colon:
        return match[0] if _LONE_USER.fullmatch(user) or _harmless(user) else f"://{MASK}@"
    shown = user if _USER.fullmatch(user) or _harmless(user) else MASK
    return f"://{shown}:{password if _harmless(password) else MASK}@"


def _without_value(match: re.Match[str]) -> str:
    if _harmless(match["value"]):
        return match[0]
    groups = match.groupdict()
    return f"{match['head']}{groups.get('prefix', '')}{groups.get('quote', '')}{MASK}{groups.get('end', '')}"


def _harmless(value: str) -> bool:
    if value.lower() in _NO_SECRET or _PLACEHOLDER.fullmatch(value):
        return True
    return _VARIABLE.fullmatch(value) is not None and _sounds_secret(value)


def _sounds_secret(text: str) -> bool:
    folded = text.casefold()  # as re.IGNORECASE does, for it takes a long s for an s
    return any(word in folded for word in WORDS)


def _cut(text: str) -> str:
    """The start of a long text, without a URL whose end was cut off: its password would not be told to be one."""
    text = text[:_LONGEST]
    head, mark, tail = text.rpartition("://")
    if mark and not re.search(r"[\s'\"<>`]", tail):
        text = head + mark
    return text + "\u2026"
