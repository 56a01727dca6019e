"""Results as operators see them: what was not believed, counted and logged by reason. Never what it said."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from safecelery.errors import Reason, one_line
from safecelery.telemetry.metrics import RESULTS_REFUSED, SUPPRESSED
from safecelery.telemetry.throttle import Throttle

__all__ = ["REFUSED_RESULTS", "REPORTED_RESULTS", "ResultNotBelieved", "result_refused"]

logger = logging.getLogger("safecelery")

#: Results that this process refused, by reason.
REFUSED_RESULTS: Counter[Reason] = Counter()
#: Results that it believed in report mode alone, by reason.
REPORTED_RESULTS: Counter[Reason] = Counter()
_THROTTLE = Throttle()
_WORDS = {"enforce": "result refused", "report": "result would be refused"}


@dataclass(frozen=True, slots=True)
class ResultNotBelieved:
    """A result, a chord's part or a saved group that is forged, changed, or not its signer's to give."""

    reason: Reason
    detail: str
    kind: str
    id: str
    """Of the task or the group, as asked for."""
    where: Literal["stored", "published", "replied"]
    mode: Literal["enforce", "report"] = "enforce"


def result_refused(event: ResultNotBelieved) -> None:
    """Count it, and write one line; in a flood some are only counted."""
    counter = REFUSED_RESULTS if event.mode == "enforce" else REPORTED_RESULTS
    counter[event.reason] += 1
    RESULTS_REFUSED.add(event.reason.value, event.kind, event.mode)
    suppressed = _THROTTLE.ask((event.reason, event.mode))
    if suppressed is None:
        SUPPRESSED.add(event.reason.value)
        return
    name = one_line(event.id, 100)
    logger.warning(
        "%s: %s (%s) kind=%s id=%s where=%s%s",
        _WORDS[event.mode], event.reason.value, event.detail, event.kind, name, event.where,
        f" suppressed={suppressed}" if suppressed else "",
        extra={
            "safecelery_event": "result-refused" if event.mode == "enforce" else "result-reported",
            "safecelery_reason": event.reason.value,
            "safecelery_detail": event.detail,
            "safecelery_kind": event.kind,
            "safecelery_id": name,
            "safecelery_where": event.where,
            "safecelery_mode": event.mode,
        },
    )  # fmt: skip
