"""ETA and expiry are dates, and the ETA is not further ahead than the policy allows to hold a message.

An expiry that is past or far off is no harm: Celery discards what is past, and no message outlives its signed lifetime.
"""

from __future__ import annotations

from datetime import UTC, datetime

from safecelery.errors import Reason, Rejected
from safecelery.firewall.interface import Body, Context, Received
from safecelery.message.stages import VerifiedMessage

__all__ = ["check_eta", "dates", "moment", "schedule"]


def dates(message: Received, body: Body, context: Context) -> None:
    """Refuse dates that are none."""
    for name in ("eta", "expires"):
        if (value := message.claims.hdr.get(name)) is not None:
            moment(value, name)


def schedule(message: VerifiedMessage, body: Body, context: Context) -> None:
    """Refuse an ETA beyond the policy's horizon."""
    check_eta(message.claims.hdr.get("eta"), context)


def check_eta(value: object, context: Context) -> None:
    """Refuse an ETA (ISO 8601 text or ``None``) beyond ``max_eta_s``."""
    if value is None:
        return
    ahead = moment(value, "eta").timestamp() - context.now
    if ahead > context.limits.max_eta_s:
        raise Rejected(Reason.SCHEDULE_OUT_OF_RANGE, f"the ETA is more than {context.limits.max_eta_s} s ahead")


def moment(value: object, name: str) -> datetime:
    """The moment that a header names, in UTC where it names no zone.

    Raises:
        Rejected: it is no date.
    """
    if isinstance(value, dict) and value.get("__type__") == "datetime":
        value = value.get("__value__")  # kombu's JSON spelling of a datetime (kombu/utils/json.py)
    try:
        moment = datetime.fromisoformat(value)  # type: ignore[arg-type]
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Rejected(Reason.SCHEDULE_OUT_OF_RANGE, f"{name} is not an ISO 8601 date") from None
    if not datetime.min.year < moment.year < datetime.max.year:
        # In some time zone that is no date any more, and Celery converts it to the worker's.
        raise Rejected(Reason.SCHEDULE_OUT_OF_RANGE, f"{name} is at the end of time")
    return moment
