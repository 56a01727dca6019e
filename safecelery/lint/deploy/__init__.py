"""How the processes of a project are really started, which packages they need, and which secrets lie about."""

from __future__ import annotations

from safecelery.lint.deploy.joining import joined, matched, starts
from safecelery.lint.deploy.reading import Deployment, read, tells_of_deployment

__all__ = ["Deployment", "joined", "matched", "read", "starts", "tells_of_deployment"]
