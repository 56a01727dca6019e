"""One voice for one fault: of two findings with one cause at one place, the one that says less is left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from safecelery.lint.finding import Finding

__all__ = ["ECHOES", "without_echoes"]

ECHOES: Final = {
    "SFC202": "SFC201",  # without TLS there is no certificate,
    "SFC203": "SFC201",  # no host name in it,
    "SFC204": "SFC201",  # and no version of TLS
    "SFC411": "SFC410",  # a pool that ignores limits is not allowed for that reason
    "SFC431": "SFC430",
    "SFC614": "SFC608",  # options of automatic retries on a task that has none: the same exceptions are missing
}
"""Code -> the code that tells the same of the same subject at the same place."""
_ON_THE_LINE: Final = {"SFC514": "SFC922"}  # a beat entry for a task that nobody declares leads to no queue either
_ANYWHERE: Final = {
    "SFC412": "SFC401",  # where it comes from the same setting
    "SFC912": "SFC957",  # which names the very command line
}
"""Code -> the code that tells the same in another place of the project."""


def without_echoes(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that add something; where the first voice was excused or switched off, the second one speaks."""
    places = {(finding.code, finding.path, finding.subject) for finding in findings}
    lines = {(finding.code, finding.path, finding.line) for finding in findings}
    codes = {finding.code for finding in findings if finding.code != "SFC401" or finding.cause is not None}
    return [
        finding
        for finding in findings
        if (ECHOES.get(finding.code, ""), finding.path, finding.subject) not in places
        and (_ON_THE_LINE.get(finding.code, ""), finding.path, finding.line) not in lines
        and _ANYWHERE.get(finding.code, "") not in codes
    ]
