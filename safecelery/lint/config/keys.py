"""The keys of the configuration, in one table: how each is read, and what to say if it cannot be."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from safecelery.errors import did_you_mean
from safecelery.lint.config.model import OUTPUT_FORMATS
from safecelery.lint.config.selectors import codes_of, no_such_rule
from safecelery.policy.shipped import SHIPPED

__all__ = ["KEYS", "Reader"]

Reader = Callable[[object, Path], Any]
"""From a value of TOML and the directory that relative paths start from. Raises ValueError saying what it must be."""


def _text(value: object, _: Path) -> str:
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("must be a text that is not empty")
    return value


def _flag(value: object, _: Path) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _jobs(value: object, _: Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 64:
        raise ValueError("must be a whole number from 0 (the linter chooses) to 64")
    return value


def _path(value: object, base: Path) -> Path:
    return base / Path(_text(value, base)).expanduser()


def _policy(value: object, base: Path) -> str:
    name = _text(value, base)
    if name in SHIPPED:
        return name
    if not name.endswith(".toml"):
        hint = did_you_mean(name, SHIPPED)
        raise ValueError(f"there is no policy {name!r}{hint}; shipped are {', '.join(SHIPPED)}; a file ends in .toml")
    return str(base / name)


def _texts(value: object, base: Path) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(part, str) and part.strip() for part in value):
        raise ValueError("must be a list of texts that are not empty")
    return tuple(value)


def _selectors(value: object, base: Path) -> tuple[str, ...]:
    selectors = _texts(value, base)
    for selector in selectors:
        if not codes_of(selector):
            raise ValueError(f"there is no rule {no_such_rule(selector)}")
    return selectors


def _per_file(value: object, base: Path) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(value, Mapping):
        raise ValueError("must be a table of patterns, each with a list of rules")
    found = []
    for pattern, selectors in value.items():
        try:
            found.append((_text(pattern, base), _selectors(selectors, base)))
        except ValueError as error:
            raise ValueError(f"{pattern!r}: {error}") from None
    return tuple(found)


def _environment(value: object, _: Path) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(
        isinstance(name, str) and name and isinstance(text, str) for name, text in value.items()
    ):
        raise ValueError("must be a table of variables, each with a text")
    return MappingProxyType(dict(value))


def _version(value: object, _: Path) -> tuple[int, ...]:
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,4}){0,3}", value):
        raise ValueError('must be a version as text, such as "5.4"')
    return tuple(int(part) for part in value.split("."))


def _format(value: object, _: Path) -> str:
    if value not in OUTPUT_FORMATS:
        hint = did_you_mean(value, OUTPUT_FORMATS) if isinstance(value, str) else ""
        raise ValueError(f"must be one of {', '.join(OUTPUT_FORMATS)}{hint}")
    return str(value)


KEYS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "policy": _policy,
        "select": _selectors,
        "extend-select": _selectors,
        "ignore": _selectors,
        "exclude": _texts,
        "include-tests": _flag,
        "per-file-ignores": _per_file,
        "baseline": _path,
        "cache": _flag,
        "cache-dir": _path,
        "output-format": _format,
        "settings": _text,
        "environment": _environment,
        "celery": _version,
        "fail-on-undecided": _flag,
        "jobs": _jobs,
    }
)
