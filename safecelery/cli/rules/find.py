"""A rule by what somebody typed: its code or its name, in any case."""

from __future__ import annotations

from typing import Any

import click

from safecelery.errors import did_you_mean
from safecelery.policy.rule import Rule
from safecelery.policy.rules import BY_CODE, CODE_BY_NAME

__all__ = ["find_rule"]


def find_rule(word: str) -> Rule[Any]:
    """The rule. Raises click.UsageError, with the nearest code or name, if there is none."""
    code = CODE_BY_NAME.get(word.lower(), word.upper())
    if code in BY_CODE:
        return BY_CODE[code]
    hint = did_you_mean(word.upper(), BY_CODE) or did_you_mean(word.lower(), CODE_BY_NAME)
    raise click.UsageError(f"there is no rule {word!r}{hint}; all of them: safecelery rules")
