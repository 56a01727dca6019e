"""Which keys end, and how near that is."""

from __future__ import annotations

import pytest

from safecelery.keys.expiry import Dated, dated, stage
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from tests.unit.keys.key_builders import T, a_private, a_ring, an_entry


def test_the_own_key_and_every_trusted_one_end() -> None:
    kid, end = a_private().kid, T + 30 * 86_400
    assert list(dated(a_ring())) == [Dated(kid, "web", "own", end), Dated(kid, "web", "trusted", end)]
    assert Dated(kid, "web", "own", end).days_left(T) == 30


def test_a_revoked_key_has_ended_already_and_nobody_waits_for_it() -> None:
    assert list(dated(Keyring(None, TrustStore.parse(an_entry(revoked="true"), "test")))) == []


@pytest.mark.parametrize(
    ("days", "reached"), [(400, None), (30.01, None), (30, 30), (7.1, 30), (7, 7), (0.1, 7), (0, 0), (-99, 0)]
)
def test_stages_are_a_month_a_week_and_the_end(days: float, reached: int | None) -> None:
    assert stage(days) == reached
