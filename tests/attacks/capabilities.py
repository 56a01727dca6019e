"""What safecelery can do by now, as far as cases depend on it: one that ``needs`` what is not here yet is skipped."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["PRESENT", "missing"]

#: Capability -> whether it is there. One line each; the cases themselves never change for it.
PRESENT: dict[str, bool] = {
    "ledger": True,  # a message that ran does not run again; one that keeps killing its worker becomes a dead letter
    "control": True,  # remote control, gossip and events: signed, or deaf to whatever comes
    "parking": True,  # messages that are due far ahead wait on the broker, not in the worker's memory
}


def missing(needs: Iterable[str]) -> list[str]:
    """Those of the capabilities that are not there yet."""
    return sorted(name for name in needs if not PRESENT[name])
