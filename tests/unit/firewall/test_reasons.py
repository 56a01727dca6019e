"""Every reason is explained."""

from __future__ import annotations

import pytest

from safecelery.errors import Reason
from safecelery.firewall.reasons import REASONS, in_report_mode


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_says_what_it_means_whom_it_points_at_and_what_to_do(reason: Reason) -> None:
    explained = REASONS[reason]
    assert explained.means.endswith(".")
    assert explained.action.endswith(".")
    assert explained.points_at
    assert in_report_mode(reason)


def test_there_are_no_others() -> None:
    assert REASONS.keys() == set(Reason)


def test_what_report_mode_does_is_taken_from_the_checks() -> None:
    assert in_report_mode(Reason.SIGNATURE_INVALID) == in_report_mode(Reason.TOO_LARGE) == "refused"
    assert in_report_mode(Reason.TASK_NOT_GRANTED) == "admitted"
    assert in_report_mode(Reason.ENVELOPE_MISSING).startswith("admitted")
    assert "no date" in in_report_mode(Reason.SCHEDULE_OUT_OF_RANGE)
