"""The digest of a chord's callback: the same wherever it has travelled, and another one for any other callback."""

from __future__ import annotations

import uuid
from typing import Any

from celery import Celery, chain, chord, group
from celery.app.task import Context
from hypothesis import given
from hypothesis import strategies as st
from kombu.utils.json import dumps, loads

from safecelery.runtime.chord_binding import bound_to, chord_digest, ids_in

app = Celery("digests", set_as_current=False)


@app.task(name="shop.total", shared=False)
def total(*args: Any, **kwargs: Any) -> None:
    """A callback."""


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary() | st.uuids()
    | st.datetimes(timezones=st.none() | st.timezones(no_cache=True)) | st.dates() | st.decimals(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner)
    | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
SIMPLE = st.builds(lambda args, kwargs: total.s(*args, **kwargs), st.lists(VALUES, max_size=2),
                   st.dictionaries(st.text(min_size=1), VALUES, max_size=2))  # fmt: skip
CALLBACKS = st.recursive(
    SIMPLE,
    lambda inner: (
        st.lists(inner, min_size=2, max_size=3).map(lambda tasks: group(tasks))
        | st.tuples(SIMPLE, SIMPLE).map(lambda tasks: chain(*tasks))
        | st.tuples(inner, SIMPLE).map(lambda tasks: chord([tasks[0]], tasks[1]))
    ),
    max_leaves=4,
)


def sent(callback: Any) -> Any:
    """What comes of it in a message."""
    return loads(dumps(callback))


@given(CALLBACKS)
def test_it_is_the_same_however_often_the_callback_was_sent_on(callback: Any) -> None:
    once = sent(callback)
    again = sent(sent(once))
    assert chord_digest(callback) == chord_digest(once) == chord_digest(again)


@given(SIMPLE, SIMPLE)
def test_callbacks_that_travel_differently_have_different_ones(one: Any, other: Any) -> None:
    same = dumps(sent(one), sort_keys=True) == dumps(sent(other), sort_keys=True)
    assert (chord_digest(one) == chord_digest(other)) is same


@given(SIMPLE, st.sampled_from(["task", "args", "kwargs", "immutable", "subtask_type"]))
def test_no_member_can_be_changed(callback: Any, member: str) -> None:
    changed = {**sent(callback), member: ["another"]}
    assert chord_digest(changed) != chord_digest(callback)


@given(SIMPLE, st.sampled_from(["link", "queue", "task_id", "headers", "chain", "link_error"]))
def test_no_option_can_be_added(callback: Any, option: str) -> None:
    before = chord_digest(callback)
    assert chord_digest(callback.clone().set(**{option: "another"})) != before


def test_it_is_what_it_was_before_celery_changed_the_callback() -> None:
    request = Context(id=uuid.uuid4().hex, chord=sent(total.s(1)))
    before = bound_to(request)
    request.chord["options"]["task_id"] = "given by Celery"
    assert bound_to(request) == before == chord_digest(total.s(1))


@given(st.text() | SIMPLE.map(chord_digest))
def test_it_is_not_what_a_message_says_it_is(said: str) -> None:
    """Headers and stamps are members of the request, under whatever name they have."""
    request = Context(id="t-1", chord=sent(total.s(1)))
    bound_to(request)
    names = vars(request).keys() - vars(Context(id="t-1", chord={})).keys()
    assert names
    planted = Context(id="t-1", chord=sent(total.s(1)), **dict.fromkeys(names, said))
    assert bound_to(planted) == chord_digest(total.s(1))


def test_a_task_of_no_header_has_none() -> None:
    assert bound_to(Context(id="t-1")) is None
    assert bound_to(None) is None


TREES = st.recursive(
    st.uuids().map(lambda task_id: ([str(task_id)], ((str(task_id), None), None))),
    lambda inner: st.lists(inner, max_size=3).map(
        lambda parts: (
            [task_id for ids, _ in parts for task_id in ids],
            (("a group", (("before it", None), None)), [shape for _, shape in parts]),
        )
    ),
    max_leaves=8,
)


@given(TREES)
def test_the_ids_of_a_header_are_those_of_its_tasks(tree: Any) -> None:
    """Neither of groups nor of what came before, as Celery writes them, and as they come back from JSON."""
    ids, shape = tree
    assert ids_in(shape) == ids_in(loads(dumps(shape))) == ids_in([shape]) == frozenset(ids)


@given(VALUES)
def test_anything_else_has_none_that_are_no_text(value: Any) -> None:
    assert all(isinstance(task_id, str) for task_id in ids_in(value))
