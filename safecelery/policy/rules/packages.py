"""9xx: packages. Versions with known holes, packages nobody mends, packages that run what a message says."""

from __future__ import annotations

from safecelery.policy.advisories import ADVISORIES, EXECUTING, RETIRED, Advisory
from safecelery.policy.facts import UNKNOWN, PackageFacts
from safecelery.policy.limits import Limits
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Undecided, Verdict

__all__ = ["RULES"]

Version = tuple[int, ...]


def _trimmed(version: Version) -> Version:
    """5.2.0 and 5.2 are one version."""
    end = len(version)
    while end > 1 and version[end - 1] == 0:
        end -= 1
    return version[:end]


def _affected(package: PackageFacts, advisory: Advisory) -> bool:
    """The version is affected; of a range: every version it admits is."""
    version, lowest, below = package.version, package.lowest, package.below
    for start, fixed in advisory.affected:
        if version is not UNKNOWN:
            if _trimmed(start) <= _trimmed(version) < _trimmed(fixed):
                return True
        elif below is not UNKNOWN and _trimmed(below) <= _trimmed(fixed):
            first: Version = (0,) if lowest is UNKNOWN else lowest
            if _trimmed(start) <= _trimmed(first):
                return True
    return False


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def _holes(package: PackageFacts, _: Limits) -> Verdict:
    known = ADVISORIES.get(package.name, ())
    found = [advisory for advisory in known if _affected(package, advisory)]
    if found:
        said = "; ".join(
            f"{advisory.id}, fixed in {_dotted(_fixed(package, advisory))}: {advisory.what}" for advisory in found
        )
        return Fail(said)
    if known and package.version is UNKNOWN and package.specifier.startswith("@"):
        return Undecided("the version behind a URL cannot be determined")
    return PASS


def _fixed(package: PackageFacts, advisory: Advisory) -> Version:
    """The first version that mends the range this one lies in."""
    for start, fixed in advisory.affected:
        if package.version is not UNKNOWN and _trimmed(start) <= _trimmed(package.version) < _trimmed(fixed):
            return fixed
    return advisory.affected[-1][1]


def _retired(package: PackageFacts, _: Limits) -> Verdict:
    entry = RETIRED.get(package.name)
    return Fail(f"{entry.why}; use {entry.instead}") if entry is not None else PASS


def _executing(package: PackageFacts, _: Limits) -> Verdict:
    how = EXECUTING.get(package.name)
    return Fail(how) if how is not None else PASS


RULES = (
    Rule(
        code="SFC980",
        name="package-with-known-hole",
        subject=PackageFacts,
        severity=Severity.HIGH,
        check=_holes,
        message="is a version with a known hole",
        fix="require at least the fixed version, and renew the lock file",
    ),
    Rule(
        code="SFC981",
        name="package-retired",
        subject=PackageFacts,
        severity=Severity.MEDIUM,
        check=_retired,
        message="is a package nobody mends any more",
        fix="replace it as the message says",
    ),
    Rule(
        code="SFC982",
        name="package-runs-message-content",
        subject=PackageFacts,
        severity=Severity.CRITICAL,
        check=_executing,
        message="turns the content of messages into code",
        fix="send plain JSON, and validate arguments by the annotations of the task",
    ),
)
