"""A policy: a level for every rule, the numbers, the waivers; and how it is read from files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from safecelery.deferred import dataclass
from safecelery.errors import PolicyFileError, did_you_mean
from safecelery.policy.document import Level, PolicyDocument, parse_document
from safecelery.policy.limits import LIMIT_NAMES, Limits
from safecelery.policy.rule import Rule, Verdict
from safecelery.policy.rules import CATALOGUE
from safecelery.policy.shipped import SHIPPED, shipped_policy
from safecelery.policy.waiver import Waiver

__all__ = ["Level", "Plan", "Policy", "load_policy"]

_DEEPEST = 8  # more levels of "extends" than anybody can follow; also ends a circle


@dataclass(frozen=True, slots=True)
class Plan:
    """What a policy asks of one type of subject, worked out once so that checking is a loop over functions."""

    checks: tuple[Callable[[Any, Limits], Verdict], ...]
    rules: tuple[tuple[Rule[Any], Level], ...]
    """In the order of ``checks``."""
    waivers: tuple[Waiver, ...]
    first_expiry: date
    """Up to this day no waiver here has expired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One policy. Raises PolicyFileError if ``levels`` does not give every rule a level."""

    name: str
    levels: Mapping[str, Level]
    """By rule code."""
    limits: Limits
    waivers: tuple[Waiver, ...] = ()
    sources: tuple[str, ...] = field(default=(), compare=False)
    """The paths of the files it was read from."""
    plans: Mapping[type, Plan] = field(init=False, repr=False, compare=False)
    """By type of facts. A type whose every rule is off has none."""

    def __post_init__(self) -> None:
        missing = [str(rule) for rule in CATALOGUE if rule.code not in self.levels]
        if missing:
            raise PolicyFileError(f"policy {self.name!r} gives no level to {', '.join(missing)}")
        object.__setattr__(self, "levels", MappingProxyType({rule.code: self.levels[rule.code] for rule in CATALOGUE}))
        object.__setattr__(self, "plans", MappingProxyType(_plans(self.levels, self.waivers)))


def _plans(levels: Mapping[str, Level], waivers: tuple[Waiver, ...]) -> dict[type, Plan]:
    plans = {}
    for subject in dict.fromkeys(rule.subject for rule in CATALOGUE):
        active = tuple(
            (rule, levels[rule.code])
            for rule in CATALOGUE
            if rule.subject is subject and levels[rule.code] is not Level.OFF
        )
        if not active:
            continue
        codes = {rule.code for rule, _ in active}
        mine = tuple(waiver for waiver in waivers if waiver.rule in codes)
        first_expiry = min((waiver.expires for waiver in mine), default=date.max)
        plans[subject] = Plan(tuple(rule.check for rule, _ in active), active, mine, first_expiry)
    return plans


def load_policy(name_or_path: str | Path) -> Policy:
    """A shipped policy by name (``baseline``, ``strict``, ``migration``), or one from a TOML file.

    A file may say ``extends``: a shipped name, or a path relative to itself; what it states overrides what it extends,
    and its waivers are added. A file that extends nothing must give every rule a level and state every limit.

    Raises PolicyFileError, naming file and key, for anything it cannot read or does not know.
    """
    path = _locate(str(name_or_path), Path.cwd())
    chain = _chain(path)
    levels: dict[str, Level] = {}
    limits: dict[str, Any] = {}
    waivers: list[Waiver] = []
    for document in reversed(chain):
        levels.update(document.levels)
        limits.update(document.limits)
        waivers.extend(document.waivers)
    missing = [name for name in LIMIT_NAMES if name not in limits]
    if missing:
        raise PolicyFileError(f"{path}: limits: {', '.join(missing)} missing; state them, or extend a policy that does")
    try:
        return Policy(
            name=chain[0].name,
            levels=levels,
            limits=Limits(**limits),
            waivers=tuple(waivers),
            sources=tuple(document.source for document in chain),
        )
    except PolicyFileError as error:
        raise PolicyFileError(f"{path}: {error}") from None


def _locate(name: str, directory: Path) -> Path:
    if name in SHIPPED:
        return shipped_policy(name)
    if not name.endswith(".toml"):
        hint = did_you_mean(name, SHIPPED)
        raise PolicyFileError(
            f"no policy {name!r}{hint}; the shipped ones are {', '.join(SHIPPED)}; a file ends in .toml"
        )
    return directory / name


def _chain(path: Path) -> list[PolicyDocument]:
    """The document, what it extends, what that extends, and so on."""
    chain: list[PolicyDocument] = []
    while True:
        if len(chain) == _DEEPEST:
            raise PolicyFileError(
                f"{chain[0].source}: extends: goes round in a circle, or deeper than {_DEEPEST} files"
            )
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise PolicyFileError(f"{path}: cannot be read: {error.strerror or error}") from None
        except UnicodeDecodeError as error:
            raise PolicyFileError(f"{path}: cannot be read: {error}") from None
        document = parse_document(text, str(path))
        chain.append(document)
        if document.extends is None:
            return chain
        try:
            path = _locate(document.extends, path.parent)
        except PolicyFileError as error:
            raise PolicyFileError(f"{document.source}: extends: {error}") from None
