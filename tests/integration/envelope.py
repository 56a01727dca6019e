"""Reading what was signed, without believing it: for tests that look at a queue."""

from __future__ import annotations

import base64
import json
from typing import Any

from tests.integration.stage import RawItem

__all__ = ["claims_of"]


def claims_of(item: RawItem) -> dict[str, Any]:
    """The claims of the message's envelope."""
    claims, _, _ = item.headers["safecelery"].partition(".")
    parsed: dict[str, Any] = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return parsed
