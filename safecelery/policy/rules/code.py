"""The check of a rule that asks for places in code of one kind."""

from __future__ import annotations

from collections.abc import Callable

from safecelery.policy.facts import CodeFacts
from safecelery.policy.limits import Limits
from safecelery.policy.rule import PASS, Fail, Undecided, Verdict

__all__ = ["no_place_of_kind"]


def no_place_of_kind(kind: str) -> Callable[[CodeFacts, Limits], Verdict]:
    """Fails for a place of that kind; undecided where the detector was not certain."""

    def check(place: CodeFacts, _: Limits) -> Verdict:
        if place.kind != kind:
            return PASS
        return Fail(place.detail) if place.certain is True else Undecided(place.detail)

    return check
