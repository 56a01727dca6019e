"""The active checks, in the order in which they are asked. A new one is a module beside this and a line here.

Checks of form ask what a message is: nothing that one of them refuses is ever run, by anybody. Checks of permission ask
who may send it, where to and when: what they refuse is admitted in report mode, for the reasons named beside them.
"""

from __future__ import annotations

from collections.abc import Mapping

from safecelery.errors import Reason
from safecelery.firewall.checks.audience import audience
from safecelery.firewall.checks.canvas import canvas
from safecelery.firewall.checks.canvas_form import canvas_form
from safecelery.firewall.checks.encrypted import encrypted
from safecelery.firewall.checks.grants import grants
from safecelery.firewall.checks.lifetime import lifetime
from safecelery.firewall.checks.registered import registered
from safecelery.firewall.checks.retries import retries, retry_count
from safecelery.firewall.checks.schedule import dates, schedule
from safecelery.firewall.checks.shape import shape
from safecelery.firewall.checks.sizes import sizes
from safecelery.firewall.interface import Check, FormCheck

__all__ = ["CHECKS", "FORGIVEN", "FORM", "OF_BODY"]

#: Every check of a message that somebody signed.
CHECKS: tuple[Check, ...] = (
    sizes,
    shape,
    dates,
    audience,
    grants,
    canvas,
    canvas_form,
    retry_count,
    retries,
    schedule,
    lifetime,
    registered,
    encrypted,
)
#: Those that can be asked about a message that nobody signed.
FORM: tuple[FormCheck, ...] = (sizes, shape, dates, canvas_form, retry_count, registered, encrypted)
#: Those that look into the body. Of an encrypted message they are asked last, once it was worth opening.
OF_BODY: frozenset[Check] = frozenset({canvas, canvas_form, encrypted})
#: Check of permission -> the reasons that do not keep a message out in report mode. What is not here always does.
FORGIVEN: Mapping[Check, frozenset[Reason]] = {
    audience: frozenset({Reason.AUDIENCE_MISMATCH}),
    grants: frozenset({Reason.TASK_NOT_GRANTED, Reason.QUEUE_NOT_GRANTED}),
    canvas: frozenset({Reason.CANVAS_NOT_GRANTED, Reason.CANVAS_OPTION, Reason.SCHEDULE_OUT_OF_RANGE}),
    retries: frozenset({Reason.RETRIES_OUT_OF_RANGE}),
    schedule: frozenset({Reason.SCHEDULE_OUT_OF_RANGE}),
    lifetime: frozenset({Reason.STALE}),
}
