from __future__ import annotations

import copy
import pickle

import pytest

from safecelery.policy.facts import ABSENT, UNKNOWN, Place
from tests.unit.policy.policy_builders import a_call, a_task, a_transport, a_waiver_on, an_app


@pytest.mark.parametrize("value", [UNKNOWN, ABSENT], ids=repr)
class TestMarkers:
    def test_are_neither_true_nor_false(self, value: object) -> None:
        with pytest.raises(TypeError, match=f"compare with 'is {value!r}' first"):
            bool(value)

    def test_stay_themselves_when_copied(self, value: object) -> None:
        assert copy.deepcopy(value) is value
        assert pickle.loads(pickle.dumps(value)) is value


def test_a_place_shows_its_line_only_if_it_has_one() -> None:
    assert str(Place("tasks.py", 7)) == "tasks.py:7"
    assert str(Place("settings")) == "settings"


@pytest.mark.parametrize(
    "url",
    [
        "redis://:secret@host/0",
        "amqp://user:secret@host//",
        "redis://:a@b@host",
        "redis://:***a@host",
        "redis://:a/b@h",
    ],
)
def test_a_transport_with_a_readable_password_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="masked") as caught:
        a_transport(url=url)
    assert url not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["redis://:***@host/0", "amqp://user:**@host//", "amqp://user@host//", "redis://host", "memory://", "redis"]
)
def test_a_transport_without_a_readable_password_is_taken(url: str) -> None:
    assert a_transport(url=url).subject == f"broker {url}"


def test_each_kind_of_facts_names_its_subject() -> None:
    assert a_task().subject == "shop.charge"
    assert a_call().subject == "shop.charge"
    assert an_app().subject == "app"
    assert a_waiver_on().subject == "waiver of SFC501 early-acknowledgement by payments"


def test_facts_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        a_task().time_limit = 60  # type: ignore[misc]
