"""What a worker says of its results before it takes any work."""

from __future__ import annotations

import logging
from typing import Any, Final

from celery.app import backends
from celery.backends.base import DisabledBackend

from safecelery.errors import SettingsError
from safecelery.runtime.guard import guard_of
from safecelery.runtime.results.claims import place_of
from safecelery.runtime.results.exceptions import named
from safecelery.runtime.results.table import sealed_class

__all__ = ["check_results"]

logger = logging.getLogger("safecelery")

#: Tasks named in one line.
_NAMED: Final = 5


def check_results(app: Any) -> None:
    """Refuse what would fail with the first result, and warn of answers that nobody would believe.

    Nothing is connected to: that is for the pool's processes to do.

    Raises:
        SettingsError: a backend that cannot be sealed, results without an end, an exception or a place for large
            results that is not there.
    """
    guard = guard_of(app)
    settings = guard.settings.results
    cls, _ = backends.by_url(app.backend_cls or app.conf.result_backend, app.loader)
    if issubclass(sealed_class(cls, settings), DisabledBackend):
        return
    expires = app.conf.result_expires
    if not expires:
        raise SettingsError(
            f"result_expires is {expires!r}, so results would be kept, and believed, for ever; state seconds "
            "(SAFECELERY_RESULTS__EXPIRES)"
        )
    named(settings.exceptions)
    place_of(settings)
    if settings.mode == "report":
        logger.warning(
            "REPORT MODE of results: this worker believes what nobody signed. Set results.mode to 'enforce' when all "
            "workers sign"
        )
    _warn_of_unbelieved_answers(app)


def _warn_of_unbelieved_answers(app: Any) -> None:
    """By this process' own trust store: other services believe only keys that may answer."""
    ring = guard_of(app).ring
    own = ring.trust.lookup(ring.active.kid) if ring.active is not None else None
    if own is None or {key.owner for key in ring.trust.keys.values() if not key.revoked} == {own.owner}:
        return
    missing = sorted(
        name
        for name, task in app.tasks.items()
        if not name.startswith("celery.") and not task.ignore_result and not own.may_answer(name)
    )
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        logger.warning(
            "key %r may not answer for %s%s by this worker's trust store: callers of other owners will refuse these "
            "results. Grant it there and in the callers' (results = [...]), or set ignore_result",
            own.kid, ", ".join(missing[:_NAMED]), more,
        )  # fmt: skip
