"""A result as JSON, and back: what is not exactly of this form is no result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, Final, TypeVar

from safecelery.lint.finding import Because, Finding, LintResult, TaskRow
from safecelery.policy.document import Level
from safecelery.policy.rule import Severity
from safecelery.policy.rules import BY_CODE

__all__ = ["FINDING", "RESULT", "OddError", "result_from", "result_to"]

_Read = TypeVar("_Read")


class OddError(ValueError):
    """What was kept does not have the form of a result."""


def result_to(result: LintResult) -> dict[str, Any]:
    """What JSON can hold, once its ``default`` is :func:`plain`. ``unread`` and ``seconds`` are left out."""
    return {name: getattr(result, name) for name in RESULT}


def plain(value: object) -> object:
    """For ``json.dumps(..., default=plain)``. Raises TypeError."""
    if isinstance(value, Finding):
        return [getattr(value, name) for name in FINDING]
    if isinstance(value, Because):
        return [value.file, value.line, value.what]
    if isinstance(value, TaskRow):
        return [value.name, value.path, value.line, value.app]
    if isinstance(value, Enum):
        return value.value
    raise TypeError(type(value).__name__)


def result_from(kept: object) -> LintResult:
    """The result. Raises OddError."""
    if type(kept) is not dict or set(kept) != set(RESULT):
        raise OddError
    return LintResult(**{name: read(kept[name]) for name, read in RESULT.items()})


def _text(value: object) -> str:
    if type(value) is not str:
        raise OddError
    return value


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise OddError
    return value


def _flag(value: object) -> bool:
    if type(value) is not bool:
        raise OddError
    return value


def _code(value: object) -> str:
    if type(value) is not str or value not in BY_CODE:
        raise OddError
    return value


def _code_or_none(value: object) -> str:
    return "" if value == "" else _code(value)


def _level(value: object) -> Level:
    try:
        return Level(_text(value))
    except ValueError:
        raise OddError from None


def _severity(value: object) -> Severity:
    try:
        return Severity(_text(value))
    except ValueError:
        raise OddError from None


def _parts(value: object, count: int) -> list[Any]:
    if type(value) is not list or len(value) != count:
        raise OddError
    return value


def _each(read: Callable[[object], _Read]) -> Callable[[object], tuple[_Read, ...]]:
    def read_all(value: object) -> tuple[_Read, ...]:
        if type(value) is not list:
            raise OddError
        return tuple(map(read, value))

    return read_all


def _link(value: object) -> Because:
    file, line, what = _parts(value, 3)
    return Because(_text(file), _number(line), _text(what))


def _link_or_none(value: object) -> Because | None:
    return None if value is None else _link(value)


def _cover(value: object) -> tuple[str, str, str]:
    code, subject, path = _parts(value, 3)
    return _code(code), _text(subject), _text(path)


def _row(value: object) -> TaskRow:
    name, path, line, app = _parts(value, 4)
    return TaskRow(name=_text(name), path=_text(path), line=_number(line), app=_text(app))


def _finding(value: object) -> Finding:
    parts = _parts(value, len(FINDING))
    return Finding(**{name: read(part) for (name, read), part in zip(FINDING.items(), parts, strict=True)})


FINDING: Final[Mapping[str, Callable[[object], Any]]] = MappingProxyType(
    {
        "code": _code,
        "name": _text,
        "severity": _severity,
        "level": _level,
        "message": _text,
        "fix": _text,
        "path": _text,
        "line": _number,
        "column": _number,
        "subject": _text,
        "because": _each(_link),
        "env": _each(_text),
        "fixable": _flag,
        "number": _number,
        "rule": _code_or_none,
        "blocked_by": _text,
        "covers": _each(_cover),
        "cause": _link_or_none,
        "reason": _text,
        "waived": _flag,
    }
)
"""How each part of a finding is read, in the order in which they are kept."""

RESULT: Final[Mapping[str, Callable[[object], Any]]] = MappingProxyType(
    {
        "findings": _each(_finding),
        "undecided": _each(_finding),
        "suppressed": _each(_finding),
        "baselined": _each(_finding),
        "tasks": _each(_row),
        "rules": _each(_code),
        "policy": _text,
        "files": _number,
        "notes": _each(_text),
    }
)
