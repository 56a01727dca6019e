"""Naming rules: ``SFC401``, a prefix such as ``SFC4``, or a name such as ``hard-time-limit-missing``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from safecelery.errors import did_you_mean

__all__ = ["codes_of", "codes_of_all", "no_such_rule"]

_PREFIX: Final = re.compile(r"SFC\d{0,2}")


def codes_of(selector: str) -> frozenset[str]:
    """The codes that a selector stands for; empty if there is no such rule. ``SFC`` stands for every rule."""
    from safecelery.policy.rules import BY_CODE, CODE_BY_NAME  # not needed where nobody names a rule

    code = CODE_BY_NAME.get(selector, selector)
    if code in BY_CODE:
        return frozenset({code})
    if _PREFIX.fullmatch(selector):
        return frozenset(code for code in BY_CODE if code.startswith(selector))
    return frozenset()


def codes_of_all(selectors: Iterable[str]) -> frozenset[str]:
    """The codes that any of the selectors stands for."""
    return frozenset().union(*map(codes_of, selectors))


def no_such_rule(selector: str) -> str:
    """``'SFC4O1' (did you mean 'SFC401'?)``: the selector, and the nearest that exists."""
    from safecelery.policy.rules import BY_CODE, CODE_BY_NAME

    if codes_of(selector.upper()):
        return f"{selector!r} (did you mean {selector.upper()!r}?)"
    if codes_of(selector.lower()):
        return f"{selector!r} (did you mean {selector.lower()!r}?)"
    return f"{selector!r}{did_you_mean(selector, (*BY_CODE, *CODE_BY_NAME))}"
