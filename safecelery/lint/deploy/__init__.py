"""How the processes of a project are really started, which packages they need, and which secrets lie about.

:func:`read` is imported when it is called: two dozen readers, which a tree without such files never needs.
"""

from __future__ import annotations

from collections.abc import Iterable

from safecelery.lint.deploy.deployment import Deployment, tells_of_deployment
from safecelery.lint.deploy.joining import joined, matched, starts

__all__ = ["Deployment", "joined", "matched", "read", "starts", "tells_of_deployment"]


def read(files: Iterable[tuple[str, str]]) -> Deployment:
    """Read what matters of these files, given as (path relative to the project with slashes, path to open)."""
    given = list(files)
    if not given:
        return Deployment()
    from safecelery.lint.deploy import reading

    return reading.read(given)
