"""What entries of the trust store are made of, whatever the key is for: owner, times, material, grants and globs."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from safecelery.errors import KeyringError, did_you_mean
from safecelery.keys.document import OWNER

__all__ = ["Head", "glob_matches", "granted", "grants", "head_of_entry", "material", "moment"]


@dataclass(frozen=True, slots=True)
class Head:
    """What the entry of any key says: whose it is, and when it is valid. Times are seconds since the epoch."""

    owner: str
    revoked: bool
    not_before: float | None
    expires: float


def head_of_entry(entry: Any, where: str, required: AbstractSet[str], optional: AbstractSet[str]) -> Head:
    """Read what entries have in common, strictly.

    Args:
        required, optional: all members that such an entry may have.

    Raises:
        KeyringError: no table, a member that is unknown or missing, or one of these is wrong.
    """
    if not isinstance(entry, dict):
        raise KeyringError(f"{where}: not a table")
    known = required | optional
    if odd := sorted(entry.keys() - known):
        raise KeyringError(f"{where}: unknown {odd[0]!r}{did_you_mean(odd[0], known)}")
    if missing := sorted(required - entry.keys()):
        raise KeyringError(f"{where}: {missing[0]!r} is missing")
    owner, revoked = entry["owner"], entry.get("revoked", False)
    if not isinstance(owner, str) or not OWNER.fullmatch(owner):
        raise KeyringError(f"{where}: owner must be lower-case letters, digits, '_', '.' or '-'")
    if not isinstance(revoked, bool):
        raise KeyringError(f"{where}: revoked must be true or false")
    not_before = moment(entry, "not_before", where) if "not_before" in entry else None
    expires = moment(entry, "expires", where)
    if not_before is not None and not_before >= expires:
        raise KeyringError(f"{where}: not_before is not before expires, so the key would never be valid")
    return Head(owner, revoked, not_before, expires)


class _Scheme(Protocol):
    name: str
    symmetric: bool


def material(entry: dict[str, Any], scheme: _Scheme, where: str) -> str:
    """The text of ``secret`` for a symmetric scheme, else of ``public``. Raises KeyringError for anything else."""
    wanted, other = ("secret", "public") if scheme.symmetric else ("public", "secret")
    given = entry.get(wanted)
    if other in entry or not isinstance(given, str):
        raise KeyringError(
            f"{where}: a key of scheme {scheme.name!r} is given by {wanted!r}, as text, and nothing else"
        )
    return given


def glob_matches(name: str, glob: str) -> bool:
    """``*`` is any text; every other character is itself. No regular expression: names come from messages, and
    one with several ``.*`` can be made to take minutes."""
    first, *rest = glob.split("*")
    if not rest:
        return name == glob
    *middle, last = rest
    at, end = len(first), len(name) - len(last)
    if at > end or not name.startswith(first) or not name.endswith(last):
        return False
    for part in middle:  # the earliest place for each part leaves the most room for the others
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def granted(name: str, globs: tuple[str, ...]) -> bool:
    """Any of the globs matches."""
    return any(glob_matches(name, glob) for glob in globs)


def moment(entry: dict[str, Any], name: str, where: str) -> float:
    """Seconds since the epoch of that member. Raises KeyringError for anything but a moment with a time zone."""
    value = entry[name]
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise KeyringError(f"{where}: {name} must be a date and time with a time zone, as 2027-01-31T00:00:00Z")
    return value.timestamp()


def grants(entry: dict[str, Any], name: str, where: str) -> tuple[str, ...]:
    """The globs of that member (E6.5). Raises KeyringError for anything but a list of them."""
    value = entry[name]
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise KeyringError(f"{where}: {name} must be a list of names; '*' in a name stands for any text")
    if odd := next((item for item in value if set(item) & set("[]?{}")), None):
        raise KeyringError(f"{where}: {name}: {odd!r} would never match: only '*' stands for other text")
    return tuple(value)
