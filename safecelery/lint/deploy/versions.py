"""Version specifiers (PEP 440) and requirements (PEP 508), as far as a rule needs them."""

from __future__ import annotations

import re

from safecelery.deferred import dataclass
from safecelery.policy.facts import UNKNOWN, PackageFacts, Place, Unknown

__all__ = ["Bounds", "bounds", "normal", "release", "requirement"]

_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[(?P<extras>[^\]]*)\])?\s*"
    r"(?:\(?(?P<specifier>(?:[<>=!~]=?=?\s*[^\s,;()<>=!~]+\s*,?\s*)*)\)?|@\s*(?P<url>\S+))\s*(?:;.*|\s--.*|#.*)?$"
)
_PART = re.compile(r"(===|==|~=|!=|<=|>=|<|>|\^|~)?\s*v?([0-9][A-Za-z0-9.+*!_-]*|\*)")
_RELEASE = re.compile(r"v?(\d{1,9}(?:\.\d{1,9})*)")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a specifier admits."""

    exact: tuple[int, ...] | Unknown = UNKNOWN
    lowest: tuple[int, ...] | Unknown = UNKNOWN
    below: tuple[int, ...] | Unknown = UNKNOWN


def normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def release(text: str) -> tuple[int, ...] | Unknown:
    """The release numbers of a version; what follows them (rc1, .post2, +local) is left out."""
    match = _RELEASE.match(text.strip())
    return tuple(int(part) for part in match.group(1).split(".")) if match and "!" not in text else UNKNOWN


def _bump(version: tuple[int, ...], place: int) -> tuple[int, ...]:
    return (*version[:place], version[place] + 1)


def bounds(specifier: str) -> Bounds:
    """``==5.2.1``, ``~=5.1``, ``>=5,<5.3``, Poetry's ``^5.2`` and ``~5.2``. Nothing understood: nothing known."""
    exact: tuple[int, ...] | Unknown = UNKNOWN
    lowest: tuple[int, ...] | Unknown = UNKNOWN
    below: tuple[int, ...] | Unknown = UNKNOWN
    if "||" in specifier:
        return Bounds()
    for operator, text in _PART.findall(specifier):
        version = release(text)
        if version is UNKNOWN or operator == "!=":
            continue
        low: tuple[int, ...] | Unknown = UNKNOWN
        high: tuple[int, ...] | Unknown = UNKNOWN
        if operator in ("==", "===", ""):
            if "*" in text:
                low, high = version, _bump(version, len(version) - 1)
            else:
                exact = low = version
        elif operator == "~=":
            low, high = version, _bump(version, max(len(version) - 2, 0))
        elif operator == "^":
            first = next((place for place, number in enumerate(version) if number), len(version) - 1)
            low, high = version, _bump(version, first)
        elif operator == "~":
            low, high = version, _bump(version, min(1, len(version) - 1))
        elif operator in (">=", ">"):
            low = version
        elif operator == "<":
            high = version
        else:  # <=: the next version that could be is behind it
            high = (*version, 1)
        if low is not UNKNOWN and (lowest is UNKNOWN or low > lowest):
            lowest = low
        if high is not UNKNOWN and (below is UNKNOWN or high < below):
            below = high
    return Bounds(exact, lowest, below)


def requirement(text: str, where: Place, *, locked: bool = False) -> PackageFacts | None:
    """The facts of one requirement line; None if it is none."""
    if len(text) > 1000:
        return None
    match = _REQUIREMENT.match(text)
    if match is None:
        return None
    specifier = (match["specifier"] or "").strip()
    found = bounds(specifier) if not match["url"] else Bounds()
    return PackageFacts(
        name=normal(match["name"]),
        where=where,
        version=found.exact,
        specifier=specifier or ("@ URL" if match["url"] else ""),
        extras=tuple(sorted(normal(extra.strip()) for extra in (match["extras"] or "").split(",") if extra.strip())),
        lowest=found.lowest,
        below=found.below,
        locked=locked,
    )
