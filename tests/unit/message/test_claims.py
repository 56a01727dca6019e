"""Claims: exactly these members, each of its type."""

from __future__ import annotations

import json
from typing import Any

import pytest

from safecelery.message.claims import TYPES, Audience, Claims
from safecelery.message.codec import Malformed
from tests.unit.message.message_builders import some_claims


def test_claims_are_read_as_they_are_written() -> None:
    claims = Claims.from_json(some_claims())
    assert Claims.from_bytes(claims.to_bytes()) == claims
    assert json.loads(claims.to_bytes()) == some_claims()


def test_members_are_those_of_the_object() -> None:
    assert {*Claims.__dataclass_fields__} == {*some_claims()}


def test_an_id_is_its_keys_own_in_the_ledger() -> None:
    one = Claims.from_json(some_claims())
    assert Claims.from_json(some_claims(iat=one.iat - 1)).entry == one.entry
    others = {Claims.from_json(some_claims(**other)).entry for other in ({"kid": "other"}, {"jti": "other" * 6})}
    assert len({one.entry, *others}) == 3
    assert len(one.entry) <= 64  # a column of the SQL store


@pytest.mark.parametrize("typ", TYPES)
def test_every_domain_can_be_claimed(typ: str) -> None:
    assert Claims.from_json(some_claims(typ=typ)).typ == typ


@pytest.mark.parametrize("name", some_claims())
def test_a_missing_member_is_refused(name: str) -> None:
    value = some_claims()
    del value[name]
    with pytest.raises(Malformed, match="missing or unknown"):
        Claims.from_json(value)


@pytest.mark.parametrize("name", ["alg", "sub", "V", ""])
def test_an_unknown_member_is_refused(name: str) -> None:
    with pytest.raises(Malformed, match="missing or unknown"):
        Claims.from_json(some_claims(**{name: None}))


KINDS: dict[str, tuple[type, ...]] = {
    "v": (int,), "typ": (str,), "kid": (str,), "iat": (int,), "exp": (int,), "jti": (str,), "aud": (dict,),
    "ct": (str,), "ce": (str,), "cmp": (str, type(None)), "hdr": (dict,), "props": (dict,),
}  # fmt: skip


OF_JSON: tuple[Any, ...] = (None, True, False, 1, 1.0, "x", [], {})


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in KINDS for value in OF_JSON if type(value) not in KINDS[name]]
)
def test_every_other_type_of_json_is_refused(name: str, value: Any) -> None:
    with pytest.raises(Malformed, match=f"claim {name} has the wrong type"):
        Claims.from_json(some_claims(**{name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("typ", "job"), ("typ", ""), ("typ", "Task"), ("typ", "task "), ("kid", ""), ("jti", ""), ("jti", "a" * 15),
        ("jti", "a" * 65), ("jti", "a" * 20 + "\n"), ("jti", "a" * 20 + ":"), ("jti", "é" * 20), ("jti", "\0" * 20),
        ("iat", -1), ("iat", 2**53), ("iat", 2**300), ("exp", 0), ("exp", 2**53), ("exp", 2**300), ("exp", -1),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused(name: str, value: Any) -> None:
    with pytest.raises(Malformed, match="a value it cannot have"):
        Claims.from_json(some_claims(**{name: value}))


@pytest.mark.parametrize(("iat", "exp", "fits"), [(5, 5, False), (5, 4, False), (5, 6, True), (0, 2**53 - 1, True)])
def test_claims_begin_before_they_end(iat: int, exp: int, fits: bool) -> None:
    if fits:
        assert Claims.from_json(some_claims(iat=iat, exp=exp)).exp == exp
    else:
        with pytest.raises(Malformed):
            Claims.from_json(some_claims(iat=iat, exp=exp))


@pytest.mark.parametrize("value", [None, [], "claims", 1, True])
def test_claims_that_are_no_object_are_refused(value: object) -> None:
    with pytest.raises(Malformed, match="not an object"):
        Claims.from_json(value)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"queue": "orders"}, "queue 'orders'"),
        ({"exchange": "shop", "routing_key": "a.b"}, "exchange 'shop', key 'a.b'"),
        ({"exchange": "all", "routing_key": ""}, "exchange 'all', key ''"),
    ],
)
def test_an_audience_has_two_forms(value: dict[str, str], shown: str) -> None:
    audience = Audience.from_json(value)
    assert audience.as_json() == value
    assert audience == Audience(**value)
    assert str(audience) == shown


@pytest.mark.parametrize(
    "value",
    [
        None, [], "orders", {}, {"queue": ""}, {"queue": None}, {"queue": 1}, {"queue": ["a"]}, {"queue": True},
        {"queue": "a", "exchange": "b", "routing_key": "c"}, {"queue": "a", "routing_key": "c"},
        {"queue": "a", "exchange": "b"}, {"queue": "a", "exchange": None, "routing_key": None}, {"exchange": "b"},
        {"routing_key": "c"},
        {"exchange": "", "routing_key": "c"}, {"exchange": None, "routing_key": "c"},
        {"exchange": "b", "routing_key": None}, {"exchange": 1, "routing_key": "c"}, {"exchange": "b",
        "routing_key": 1}, {"QUEUE": "a"},
        {"queue": "a", "x": 1},
    ],
)  # fmt: skip
def test_an_audience_of_no_form_or_both_is_refused(value: object) -> None:
    with pytest.raises(Malformed):
        Audience.from_json(value)


@pytest.mark.parametrize(
    "members",
    [
        {}, {"queue": ""}, {"queue": "a", "exchange": "b"}, {"queue": "a", "routing_key": ""}, {"exchange": "b"},
        {"exchange": "", "routing_key": "c"}, {"queue": "", "exchange": "b", "routing_key": "c"},
    ],
)  # fmt: skip
def test_an_audience_cannot_be_made_in_another_form(members: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        Audience(**members)
