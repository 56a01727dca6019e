"""A policy file as written: its TOML, checked key by key, before anything is inherited."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from enum import StrEnum

from safecelery.deferred import dataclass
from safecelery.errors import PolicyFileError, did_you_mean
from safecelery.policy.facts import Place
from safecelery.policy.limits import LIMIT_NAMES
from safecelery.policy.rules import BY_CODE, CODE_BY_NAME
from safecelery.policy.waiver import Waiver

__all__ = ["Level", "PolicyDocument", "parse_document"]

_WAIVER_KEYS = tuple(field.name for field in fields(Waiver) if field.name != "where")


class Level(StrEnum):
    """What a policy makes of a broken rule."""

    ERROR = "error"
    WARN = "warn"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDocument:
    """What one file says."""

    source: str
    name: str
    extends: str | None
    levels: Mapping[str, Level]
    """By rule code."""
    limits: Mapping[str, object]
    waivers: tuple[Waiver, ...]


def parse_document(text: str, source: str) -> PolicyDocument:
    """Read a policy file. ``source`` names it in errors.

    Raises PolicyFileError for text that is not TOML, an unknown key, rule or level, or a value of the wrong type.
    """
    try:
        top = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also an int with too many digits, or too deep a nesting
        raise PolicyFileError(f"{source}: not TOML: {error}") from None
    _known_keys(source, "", top, ("name", "description", "extends", "rules", "limits", "waivers"))
    return PolicyDocument(
        source=source,
        name=_text(source, "name", top.get("name")),
        extends=_text(source, "extends", top["extends"]) if "extends" in top else None,
        levels=_levels(source, _table(source, "rules", top.get("rules", {}))),
        limits=_limits(source, _table(source, "limits", top.get("limits", {}))),
        waivers=_waivers(source, top.get("waivers", [])),
    )


def _levels(source: str, table: Mapping[str, object]) -> dict[str, Level]:
    levels: dict[str, Level] = {}
    for key, value in table.items():
        code = CODE_BY_NAME.get(key, key)
        if code not in BY_CODE:
            hint = did_you_mean(key, (*CODE_BY_NAME, *BY_CODE))
            raise PolicyFileError(f"{source}: rules.{key}: there is no such rule{hint}")
        if code in levels:
            raise PolicyFileError(f"{source}: rules.{key}: {BY_CODE[code]} is listed twice, by code and by name")
        if value not in tuple(Level):
            raise PolicyFileError(f"{source}: rules.{key}: must be 'error', 'warn' or 'off', not {value!r}")
        levels[code] = Level(str(value))
    return levels


def _limits(source: str, table: Mapping[str, object]) -> dict[str, object]:
    _known_keys(source, "limits.", table, LIMIT_NAMES)
    return {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}


def _waivers(source: str, entries: object) -> tuple[Waiver, ...]:
    if not isinstance(entries, list):
        raise PolicyFileError(f"{source}: waivers: write each as a [[waivers]] table")
    waivers = []
    for number, entry in enumerate(entries, start=1):
        place = f"waivers #{number}"
        table = _table(source, place, entry)
        _known_keys(source, f"{place}.", table, _WAIVER_KEYS)
        for key in ("rule", "reason", "owner", "expires"):
            if key not in table:
                raise PolicyFileError(f"{source}: {place}: a waiver needs {key!r}")
        where = Place(f"{source} {place}")
        waivers.append(Waiver(**{"scope": "*", **table}, where=where))  # type: ignore[arg-type]  # checked by Waiver
    return tuple(waivers)


def _known_keys(source: str, prefix: str, table: Mapping[str, object], known: Iterable[str]) -> None:
    for key in table:
        if key not in known:
            raise PolicyFileError(f"{source}: {prefix}{key}: unknown key{did_you_mean(key, known)}")


def _table(source: str, key: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise PolicyFileError(f"{source}: {key}: must be a table")
    return value


def _text(source: str, key: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PolicyFileError(f"{source}: {key}: must be a text that is not empty")
    return value
