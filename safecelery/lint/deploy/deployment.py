"""What the deployment files of a tree say, and which python files belong to them."""

from __future__ import annotations

import posixpath
from dataclasses import field

from safecelery.deferred import dataclass
from safecelery.lint.finding import Unread
from safecelery.lint.source.beside import Beside
from safecelery.policy.facts import DeployFacts, FileFacts, PackageFacts, TrustFacts

__all__ = ["Deployment", "tells_of_deployment"]


@dataclass(slots=True)
class Deployment:
    """What the deployment files of a tree say, in order of file and line."""

    processes: list[DeployFacts] = field(default_factory=list)
    packages: list[PackageFacts] = field(default_factory=list)
    files: list[FileFacts] = field(default_factory=list)
    trust: list[TrustFacts] = field(default_factory=list)
    """The keys of trust stores; those made for tests and examples are left out."""
    unread: list[Unread] = field(default_factory=list)
    beside: Beside = field(default_factory=Beside)
    """What was looked at beside the files that were given."""


def tells_of_deployment(relative: str) -> bool:
    """Whether a python file belongs to :func:`read`: requirements of setup.py, or what Flower is configured by."""
    name = posixpath.basename(relative)
    return name == "setup.py" or "flower" in name
