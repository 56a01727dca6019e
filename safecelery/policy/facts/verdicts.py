"""What is itself about verdicts: waivers, comments that excuse, questions left open."""

from __future__ import annotations

from datetime import date

from safecelery.deferred import dataclass
from safecelery.policy.facts.values import Place, Unknown

__all__ = [
    "SuppressionFacts",
    "VerdictFacts",
    "WaiverFacts",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverFacts:
    """A waiver on a given day."""

    where: Place
    waived: str
    """Code and name of the waived rule."""
    owner: str
    expires: date
    today: date

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"waiver of {self.waived} by {self.owner}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionFacts:
    """A comment that excuses findings: ``# safecelery: ignore[SFC401] reason``."""

    where: Place
    text: str
    """The comment as written, from ``safecelery:`` on, cut where it gets long."""
    problem: str = ""
    """Why it does nothing; empty if it does what it says."""
    unknown: tuple[str, ...] = ()
    """The codes that no rule has, each with the nearest one that exists."""
    unused: tuple[str, ...] | Unknown = ()
    """The codes, of active rules, that excused nothing; UNKNOWN where not everything could be read."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"the comment {self.text!r}"


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictFacts:
    """What came of asking one rule about one subject."""

    where: Place
    rule: str
    """Code and name: ``SFC401 hard-time-limit-missing``."""
    about: str
    """The subject of the rule: ``shop.tasks.charge``."""
    because: str = ""
    """What could not be read; empty if the rule was decided."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return f"{self.rule} of {self.about}"
