from __future__ import annotations

import pytest

from safecelery.errors import SealError
from safecelery.keys.ring import Keyring
from safecelery.keys.trust import TrustStore
from tests.unit.keys.key_builders import T, a_private, a_ring

DAYS = 86_400


def test_the_active_key_signs() -> None:
    assert a_ring().signer(T) == a_private()


def test_without_a_key_nothing_is_signed() -> None:
    with pytest.raises(SealError, match="no key to sign with") as caught:
        Keyring(None, TrustStore.empty()).signer(T)
    assert "safecelery keys generate" in str(caught.value)


def test_an_expired_key_signs_nothing() -> None:
    assert a_ring().signer(T + 30 * DAYS - 1)
    with pytest.raises(SealError, match=r"'web-[0-9a-f]{8}' expired on 2027-02-14"):
        a_ring().signer(T + 30 * DAYS)


def test_an_empty_store_believes_nobody() -> None:
    assert TrustStore.empty().lookup(a_private().kid) is None
