"""Narrow edits of a trust file's text: comments and layout stay, and what comes out is read again before it counts.

An edit is made line by line, and believed only if a TOML parser finds the intended difference and no other. A file of
another layout (inline tables, keys in several places) is refused, so that a person edits it.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from safecelery.errors import KeyringError

__all__ = ["add_entry", "entry_of", "set_member", "toml_value"]


def entry_of(text: str, where: str, kid: str, table: str = "keys") -> dict[str, Any]:
    """All members of the entry ``[table."KID"]``, also those that this version does not know.

    Raises:
        KeyringError: not TOML, or no such entry.
    """
    entries = _document(text, where).get(table)
    entry = entries.get(kid) if isinstance(entries, dict) else None
    if not isinstance(entry, dict):
        raise KeyringError(f'trust store {where}: no entry [{table}."{kid}"]')
    return dict(entry)


def set_member(text: str, where: str, kid: str, name: str, value: Any, table: str = "keys") -> str:
    """The text with one member of one entry set, where it stands or below the entry's head.

    Raises:
        KeyringError: no such entry, or it is not written in a way that can be edited.
    """
    wanted = entry_of(text, where, kid, table) | {name: value}
    lines = text.splitlines(keepends=True)
    head = next((at for at, line in enumerate(lines) if _head(table, kid).fullmatch(line.rstrip("\r\n"))), None)
    if head is not None:
        end = next((at for at in range(head + 1, len(lines)) if lines[at].lstrip().startswith("[")), len(lines))
        member = re.compile(rf"(\s*{re.escape(name)}\s*=\s*)[^#]*?(\s*(?:#.*)?)", re.DOTALL)
        found = next(((at, match) for at in range(head + 1, end) if (match := member.fullmatch(lines[at]))), None)
        if found is None:
            ending = "\r\n" if lines[head].endswith("\r\n") else "\n"
            lines[head] = lines[head].rstrip("\r\n") + ending
            lines.insert(head + 1, f"{name} = {toml_value(value)}{ending}")
        else:
            at, match = found
            lines[at] = f"{match[1]}{toml_value(value)}{match[2]}"
    return _checked(text, "".join(lines), where, table, kid, wanted)


def add_entry(text: str, where: str, kid: str, members: Mapping[str, Any], table: str = "keys") -> str:
    """The text with an entry added at its end.

    Raises:
        KeyringError: there is such an entry already, or a member cannot be written as TOML.
    """
    if kid in _document(text, where).get(table, {}):
        raise KeyringError(f"trust store {where}: has an entry of {kid!r} already")
    ending = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text else ending if text.endswith("\n") else ending * 2
    entry = [f'[{table}."{kid}"]', *(f"{name} = {toml_value(value)}" for name, value in members.items())]
    after = text + gap + "".join(line + ending for line in entry)
    return _checked(text, after, where, table, kid, dict(members))


def _checked(before: str, after: str, where: str, table: str, kid: str, wanted: Mapping[str, Any]) -> str:
    """``after``, if it says what ``before`` said but for this one entry."""
    expected = _document(before, where)
    expected.setdefault(table, {})[kid] = dict(wanted)
    try:
        found = tomllib.loads(after)
    except ValueError:
        found = {}
    if found != expected:
        raise KeyringError(
            f'trust store {where}: the entry [{table}."{kid}"] is not written in a way that can be edited here, and '
            f"nothing was changed; edit it by hand: {_news(_document(before, where), table, kid, wanted)}"
        )
    return after


def _news(document: dict[str, Any], table: str, kid: str, wanted: Mapping[str, Any]) -> str:
    known = document.get(table, {}).get(kid, {})
    return "; ".join(f"{name} = {toml_value(value)}" for name, value in wanted.items() if known.get(name) != value)


def _document(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise KeyringError(f"trust store {where}: not TOML: {error}") from None


def _head(table: str, kid: str) -> re.Pattern[str]:
    exact = re.escape(kid)
    return re.compile(rf"\s*\[\s*{table}\s*\.\s*(?:\"{exact}\"|'{exact}'|{exact})\s*\]\s*(?:#.*)?")


def toml_value(value: Any) -> str:
    """A value of a trust file as TOML (v1.0.0) writes it.

    Raises:
        KeyringError: a type that no trust file has.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # A JSON string is a TOML basic string, but for the one control character that JSON leaves as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if not value.microsecond else value.isoformat()
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{toml_value(name)} = {toml_value(item)}' for name, item in value.items())} }}"
    if isinstance(value, Iterable):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    raise KeyringError(f"a value of type {type(value).__name__} is in no trust file")
