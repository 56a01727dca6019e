"""A place in code."""

from __future__ import annotations

from safecelery.deferred import dataclass
from safecelery.policy.facts.values import Place

__all__ = [
    "CodeFacts",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFacts:
    """One place in the code that does a thing of a given ``kind``; a rule of family 7 asks for one kind."""

    kind: str
    """A kebab name out of safecelery.policy.kinds."""
    where: Place
    task: str
    """The task the code is in; "" outside of one."""
    detail: str
    """What was met, in a few words: ``requests.get without timeout``."""
    certain: bool = True
    """False: it looks like it, but a part that would decide cannot be seen."""

    @property
    def subject(self) -> str:
        """The name violations use."""
        return self.task or self.where.file
