"""The message does not live longer than the policy lets messages live, whatever its signer wrote."""

from __future__ import annotations

from safecelery.errors import Reason, Rejected
from safecelery.firewall.checks.schedule import moment
from safecelery.firewall.interface import Body, Context
from safecelery.message.stages import VerifiedMessage

__all__ = ["lifetime"]


def lifetime(message: VerifiedMessage, body: Body, context: Context) -> None:
    """Refuse an expiry too far off: it would leave a captured message usable for as long as its signer likes.

    A message that is due later counts its age from then on; ``schedule`` bounds how much later that may be.
    """
    claims, limits = message.claims, context.limits
    eta = claims.hdr.get("eta")
    begins = max(claims.iat, moment(eta, "eta").timestamp()) if eta is not None else claims.iat
    # One second for the rounding of iat and exp to whole ones.
    if claims.exp - begins > limits.max_message_age_s + limits.max_clock_skew_s + 1:
        raise Rejected(Reason.STALE, f"valid for longer than the {limits.max_message_age_s:.0f} s that messages may be")
