"""From a verified message to an admitted one: an ordered chain of checks, default deny."""

from __future__ import annotations

from safecelery.firewall.chain import admit, admit_unread
from safecelery.firewall.interface import Binding, Body, Check, Context, FormCheck, Mode, Received

__all__ = ["Binding", "Body", "Check", "Context", "FormCheck", "Mode", "Received", "admit", "admit_unread"]
