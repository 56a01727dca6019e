"""Rotation: what the new entry has of the old one, and when the old one ends."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from safecelery.errors import KeyringError
from safecelery.keys.rotation import Rotation, begin, key_to_rotate, publish
from safecelery.keys.trust import TrustStore
from tests.unit.keys.key_builders import NOW, a_private, a_trusted, an_entry

KID = a_private().kid
DAY = timedelta(days=1)


def a_rotation(**changes: Any) -> Rotation:
    how = {"lifetime": 365 * DAY, "use_in": timedelta(minutes=15), "keep_old": 2 * DAY, "now": NOW + DAY}
    return begin(changes.pop("old", None) or a_trusted(), **(how | changes))


def test_the_new_key_begins_ahead_and_the_old_one_ends_after_the_overlap() -> None:
    plan = a_rotation()
    first_use = NOW + DAY + timedelta(minutes=15)
    assert (plan.new.owner, plan.new.scheme) == ("web", "ed25519")
    assert (plan.new.created, plan.new.expires) == (first_use, first_use + 365 * DAY)
    assert plan.old_ends == first_use + 2 * DAY
    assert plan.shortened
    assert plan.overlap_s() == 2 * 86_400


def test_an_old_key_never_lives_longer_than_before() -> None:
    plan = a_rotation(keep_old=99 * DAY)
    assert plan.old_ends == NOW + 30 * DAY
    assert not plan.shortened
    text = an_entry()
    assert publish(text, "t", plan).startswith(text)


def test_a_key_that_has_not_begun_needs_no_successor() -> None:
    with pytest.raises(KeyringError, match="needs no successor yet"):
        a_rotation(now=NOW - 10 * DAY)


@pytest.mark.parametrize("scheme", ["ed25519", "hmac-sha256"])
def test_the_entry_is_the_old_one_but_for_what_is_the_keys_own(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = an_entry(control='["ping"]', mode='"report"')
    plan = a_rotation()
    after = tomllib.loads(publish(text, "t", plan))["keys"]
    old, new = after[KID], after[plan.new.kid]
    own = {"public", "expires", "not_before"}
    assert {name: old[name] for name in old if name not in own} == {name: new[name] for name in new if name not in own}
    assert (new["send"], new["control"], new["mode"]) == (["orders.*"], ["ping"], "report")
    assert (new["not_before"], new["expires"]) == (plan.new.created, plan.new.expires)
    assert old["expires"] == plan.old_ends
    believed = TrustStore.parse(publish(text, "t", plan), "t").keys[plan.new.kid]
    believed.verifier.verify(plan.new.sign(b"x"), b"x")


def test_members_of_a_later_version_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = a_rotation()
    monkeypatch.setattr(TrustStore, "parse", lambda *_: None)
    after = publish(an_entry() + 'results = ["billing.*"]\nweight = 3\n', "t", plan)
    entry = tomllib.loads(after)["keys"][plan.new.kid]
    assert (entry["results"], entry["weight"]) == (["billing.*"], 3)


def test_a_revoked_key_has_a_successor_that_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = a_rotation(old=a_trusted(revoked="true"))
    after = tomllib.loads(publish(an_entry(revoked="true"), "t", plan))["keys"]
    assert after[KID]["revoked"] is True
    assert "revoked" not in after[plan.new.kid]


def test_a_secret_is_where_the_new_one_is(tmp_path: Any) -> None:
    from safecelery.keys.generate import generate_key, trust_entry, write_private

    bus = generate_key("bus", scheme="hmac-sha256", now=NOW)
    write_private(tmp_path / "bus.key", bus)
    text = trust_entry(bus, send=["*"], queues=["*"], secret_reference=f"file:{tmp_path / 'bus.key'}")
    plan = a_rotation(old=TrustStore.parse(text, "t").keys[bus.kid])
    write_private(tmp_path / "new.key", plan.new)
    after = tomllib.loads(publish(text, "t", plan, f"file:{tmp_path / 'new.key'}"))["keys"]
    assert after[plan.new.kid]["secret"] == f"file:{tmp_path / 'new.key'}"
    assert "public" not in after[plan.new.kid]


def other(owner: str, **changes: Any) -> str:
    from safecelery.keys.generate import trust_entry

    return trust_entry(a_private(owner, **changes), send=["a"], queues=["q"])


def test_a_key_is_named_by_id_or_by_an_owner_who_has_one() -> None:
    spent = other("web", secret=bytes(32), created=datetime(2026, 1, 1, tzinfo=UTC), expires=NOW)
    store = TrustStore.parse("\n".join([an_entry(), spent, other("ops")]), "t")
    assert key_to_rotate(store, "web", NOW + DAY).kid == KID
    assert key_to_rotate(store, KID, NOW + DAY).kid == KID
    assert key_to_rotate(store, "ops", NOW + DAY).owner == "ops"
    with pytest.raises(KeyringError, match=rf"web has 2 usable keys: {KID} \(until 2027-02-14\), web-.*; name the one"):
        key_to_rotate(store, "web", NOW - DAY)
    with pytest.raises(KeyringError, match="ops has no usable keys"):
        key_to_rotate(store, "ops", NOW + 99 * DAY)
    with pytest.raises(KeyringError, match=r"no key and no owner 'webb' .* \(did you mean 'web'\?\)"):
        key_to_rotate(store, "webb", NOW)
