"""Where the policies and rule pages that come with safecelery are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from safecelery.errors import PolicyFileError

__all__ = ["SHIPPED", "shipped_directory", "shipped_policy"]

SHIPPED: Final = ("baseline", "strict", "migration")

_HERE = Path(__file__).resolve().parent
# The wheel carries the directory inside the package; a checkout has it beside the package.
_CANDIDATES = (_HERE / "_shipped", _HERE.parents[1] / "policies")


def shipped_directory() -> Path:
    """The directory with ``baseline.toml`` and ``rules/``. Raises PolicyFileError if the installation lacks it."""
    for candidate in _CANDIDATES:
        if (candidate / "baseline.toml").is_file():
            return candidate
    raise PolicyFileError("the policies that belong to safecelery are missing: install it again")


def shipped_policy(name: str) -> Path:
    """The file of one shipped policy; ``name`` must be one of :data:`SHIPPED`."""
    return shipped_directory() / f"{name}.toml"
