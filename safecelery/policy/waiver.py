"""A waiver: one rule, excused for a reason, by somebody, until a date."""

from __future__ import annotations

from datetime import date, datetime
from fnmatch import fnmatchcase

from safecelery.deferred import dataclass
from safecelery.errors import PolicyFileError
from safecelery.policy.facts import Place, WaiverFacts
from safecelery.policy.rules import BY_CODE, CODE_BY_NAME, WAIVER_EXPIRED

__all__ = ["Waiver"]

_SOMEWHERE = Place("waiver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Excuses subjects whose name matches ``scope`` from one rule, up to and including the day ``expires``.

    Raises :class:`~safecelery.errors.PolicyFileError` when a field is empty, the rule does not exist, or the rule is
    the one about waivers.
    """

    rule: str
    """Code or name; always the code once constructed."""
    reason: str
    owner: str
    expires: date
    scope: str = "*"
    """A glob on the subject's name: the task's, ``app``, or ``broker URL``."""
    where: Place = _SOMEWHERE

    def __post_init__(self) -> None:
        for field in ("rule", "reason", "owner", "scope"):
            value = getattr(self, field)
            if not isinstance(value, str) or not value.strip():
                raise PolicyFileError(f"{self.where}: a waiver needs {field!r}")
        if not isinstance(self.expires, date) or isinstance(self.expires, datetime):
            raise PolicyFileError(f"{self.where}: a waiver needs a date in 'expires', such as 2031-12-31")
        code = CODE_BY_NAME.get(self.rule, self.rule)
        if code not in BY_CODE:
            raise PolicyFileError(f"{self.where}: a waiver of {self.rule!r}, which is no rule")
        if code == WAIVER_EXPIRED.code:
            raise PolicyFileError(f"{self.where}: {WAIVER_EXPIRED} cannot be waived; renew the waiver that expired")
        object.__setattr__(self, "rule", code)

    def covers(self, subject: str) -> bool:
        """Whether the scope matches a subject's name."""
        return fnmatchcase(subject, self.scope)

    def facts(self, today: date) -> WaiverFacts:
        """This waiver on a day, as the rules see it."""
        return WaiverFacts(
            where=self.where, waived=str(BY_CODE[self.rule]), owner=self.owner, expires=self.expires, today=today
        )
