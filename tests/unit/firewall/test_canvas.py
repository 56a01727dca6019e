"""Every signature that a message carries is held to its signer's grants, wherever it hides."""

from __future__ import annotations

import json
from typing import Any

import pytest
from celery.canvas import Signature, chain, chord, chunks, group, xmap, xstarmap
from hypothesis import given
from hypothesis import strategies as st

from safecelery.errors import Reason, Rejected
from safecelery.firewall.checks.canvas import BUILTIN_CANVAS, canvas
from safecelery.firewall.checks.canvas_form import canvas_form
from safecelery.message.stages import VerifiedMessage
from tests.unit.firewall.messages import a_body, a_context, a_key, a_message, limits


def sig(task: Any = "shop.refund", *args: Any, **options: Any) -> dict[str, Any]:
    return {
        "task": task,
        "args": list(args),
        "kwargs": {},
        "options": options,
        "subtask_type": None,
        "immutable": False,
    }


def check(
    *args: Any, message: VerifiedMessage | None = None, embed: dict[str, Any] | None = None, **kwargs: Any
) -> None:
    given = message or a_message(), a_body(*args, embed=embed, **kwargs), a_context()
    canvas(*given)
    canvas_form(*given)


def refused(reason: Reason, *args: Any, **kwargs: Any) -> str:
    with pytest.raises(Rejected) as caught:
        check(*args, **kwargs)
    assert caught.value.reason is reason
    return caught.value.detail


def made(kind: str, **kwargs: Any) -> dict[str, Any]:
    """One of Celery's canvas signatures, as Celery writes it."""
    typed = kind if kind in ("chain", "chord", "group") else None
    return {**sig(f"celery.{kind}"), "kwargs": kwargs, "subtask_type": typed}


FORBIDDEN = sig("admin.drop")
#: Each hides a signature that the sender may not send, in one more place.
HIDEOUTS: dict[str, dict[str, Any]] = {
    "callbacks": {"callbacks": [FORBIDDEN]},
    "errbacks": {"errbacks": [FORBIDDEN]},
    "chain": {"chain": [sig(), FORBIDDEN]},
    "chord": {"chord": FORBIDDEN},
    "a link of a callback": {"callbacks": [sig(link=[FORBIDDEN])]},
    "a link that is no list": {"callbacks": [sig(link=FORBIDDEN)]},
    "an errback of a chain": {"chain": [sig(link_error=[FORBIDDEN])]},
    "the chord of a callback": {"callbacks": [sig(chord=FORBIDDEN)]},
    "the chain of a callback": {"callbacks": [sig(chain=[FORBIDDEN])]},
    "a chain task": {"callbacks": [made("chain", tasks=[sig(), FORBIDDEN])]},
    "a group task": {"callbacks": [made("group", tasks=[FORBIDDEN])]},
    "a chord's header": {"chord": made("chord", header=[FORBIDDEN], body=sig())},
    "a chord's body": {"chord": made("chord", header=[sig()], body=FORBIDDEN)},
    "a map": {"callbacks": [made("map", task=FORBIDDEN, it=[])]},
    "a starmap": {"callbacks": [made("starmap", task=FORBIDDEN, it=[])]},
    "chunks": {"callbacks": [made("chunks", task=FORBIDDEN, it=[], n=1)]},
    "a group in a chain in a chord": {
        "chord": made("chord", header=made("chain", tasks=[made("group", tasks=[FORBIDDEN])]), body=sig())
    },
}
#: None of these is a signature as Celery writes one, but Celery would make one of most of them.
MALFORMED: dict[str, dict[str, Any]] = {
    "a bare name": {"callbacks": ["shop.refund"]},
    "a bare name as chord": {"chord": "shop.refund"},
    "a bare name in a link": {"callbacks": [sig(link="shop.refund")]},
    "a bare name in a map": {"callbacks": [made("map", task="shop.refund", it=[1])]},
    "a bare name in a chord": {"chord": made("chord", header=["shop.refund"], body=sig())},
    "a chain that says it is a user's task": {"callbacks": [{**made("chain", tasks=[sig()]), "task": "shop.refund"}]},
    "a user's task that says it is a chain": {"callbacks": [{**sig(), "subtask_type": "chain"}]},
    "a kind that there is not": {"callbacks": [{**sig(), "subtask_type": "pipeline"}]},
    "a canvas task without its kind": {"callbacks": [{**made("chain", tasks=[sig()]), "subtask_type": None}]},
    "the task that waits for a chord": {"callbacks": [made("chord_unlock", callback=sig(), group_id="g")]},
    "a canvas task without its signatures": {"callbacks": [made("map", it=[])]},
    "a canvas task whose arguments are no object": {"callbacks": [{**made("map"), "kwargs": []}]},
    "a member that signatures do not have": {"callbacks": [{**sig(), "producer": None}]},
    "an object without a task": {"callbacks": [{"options": {}}]},
    "a number": {"callbacks": [5]},
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_signature_is_refused_where_one_is_expected(name: str) -> None:
    everything = a_message(key=a_key(send=["*"]))
    refused(Reason.BODY_MALFORMED, message=everything, embed=MALFORMED[name])


@pytest.mark.parametrize("task", ["celery.map", "celery.starmap", "celery.chunks"])
@pytest.mark.parametrize("by", ["position", "name"])
def test_a_map_over_a_bare_name_is_refused(task: str, by: str) -> None:
    """Celery would run the task of that name, whoever may send it."""
    message = a_message(task=task)
    if by == "name":
        refused(Reason.BODY_MALFORMED, message=message, task="admin.drop", it=[1])
    else:
        refused(Reason.BODY_MALFORMED, "admin.drop", [1], message=message)


@pytest.mark.parametrize("inner", sorted(BUILTIN_CANVAS))
@pytest.mark.parametrize("task", ["celery.map", "celery.starmap", "celery.chunks"])
def test_a_map_of_a_canvas_task_is_refused(task: str, inner: str) -> None:
    """What that runs would stand in the items, which are data."""
    whole = {"tasks": [sig()], "header": [], "body": sig(), "task": sig(), "it": []}
    kind = inner.partition(".")[2] if inner in ("celery.chain", "celery.chord", "celery.group") else None
    mapped = {**sig(inner), "kwargs": whole, "subtask_type": kind}
    items = [["admin.drop", [1]]]
    everything = a_key(send=["*"])
    refused(Reason.BODY_MALFORMED, mapped, items, message=a_message(task=task, key=everything))
    refused(Reason.BODY_MALFORMED, message=a_message(task=task, key=everything), task=mapped, it=items)
    embedded = {**sig(task), "kwargs": {"task": mapped, "it": items}}
    refused(Reason.BODY_MALFORMED, message=a_message(key=everything), embed={"callbacks": [embedded]})


def test_celerys_old_chord_takes_no_options_among_its_arguments() -> None:
    chord_message = a_message(task="celery.chord")
    check(message=chord_message, header=[sig()], body=sig(), interval=1, max_retries=3)
    for name, value in {"queue": "admin", "header_delay": {"queue": "admin"}, "kwargs": {}, "link": []}.items():
        refused(Reason.CANVAS_OPTION, message=chord_message, header=[sig()], body=sig(), **{name: value})


def test_what_celery_itself_makes_passes() -> None:
    one, two = Signature("shop.refund", (1,)), Signature("shop.refund", (2,), immutable=True)
    work = [
        chain(one, two), group([one, two]), chord([one, two], two), chain(one, group([one, two]), two),
        chord([chain(one, two)], chain(two, one)), xmap(one, [1, 2]), xstarmap(one, [(1, 2)]), chunks(one, [(1,)], 1),
        one.clone().set(link=[two], link_error=[chain(one, two)]),
    ]  # fmt: skip
    for signature in work:
        check(embed={"callbacks": [json.loads(json.dumps(signature))]})


@pytest.mark.parametrize("hideout", HIDEOUTS)
def test_a_forbidden_task_is_found(hideout: str) -> None:
    assert "admin.drop" in refused(Reason.CANVAS_NOT_GRANTED, embed=HIDEOUTS[hideout])


@pytest.mark.parametrize("hideout", HIDEOUTS)
def test_the_same_canvas_of_granted_tasks_passes(hideout: str) -> None:
    canvas(a_message(key=a_key(send=["*"])), a_body(embed=HIDEOUTS[hideout]), a_context())


def test_no_canvas_at_all_passes() -> None:
    check(1, 2, embed={})
    check(embed={"callbacks": None, "errbacks": None, "chain": None, "chord": None})


def test_what_looks_like_a_signature_in_a_users_arguments_is_data() -> None:
    check(FORBIDDEN, order=FORBIDDEN, embed={"callbacks": [sig("shop.refund", FORBIDDEN)]})


@pytest.mark.parametrize("task", sorted(BUILTIN_CANVAS))
def test_the_arguments_of_celerys_canvas_tasks_are_searched(task: str) -> None:
    message = a_message(task=task)
    refused(Reason.CANVAS_NOT_GRANTED, FORBIDDEN, message=message)
    name = "header" if task == "celery.chord" else "tasks"
    refused(Reason.CANVAS_NOT_GRANTED, message=message, **{name: [sig(), FORBIDDEN]})
    check(message=message, **{name: [sig()]})


def test_the_items_of_a_map_are_data() -> None:
    check(message=a_message(task="celery.map"), task=sig(), it=[FORBIDDEN])


def test_an_unknown_member_of_embed_is_refused() -> None:
    refused(Reason.BODY_MALFORMED, embed={"callback": []})


@pytest.mark.parametrize("task", [None, 1, [], {"task": "shop.refund"}])
def test_a_task_that_is_no_text_is_refused(task: Any) -> None:
    refused(Reason.BODY_MALFORMED, embed={"callbacks": [{"task": task}]})


def test_as_many_signatures_as_the_policy_allows_and_no_more() -> None:
    most = limits().max_canvas_signatures
    check(embed={"callbacks": [sig()] * most})
    assert str(most) in refused(Reason.CANVAS_NOT_GRANTED, embed={"callbacks": [sig()] * (most + 1)})


def test_nesting_does_not_exhaust_the_stack() -> None:
    deep: Any = [FORBIDDEN]
    for _ in range(50_000):
        deep = [deep]
    refused(Reason.CANVAS_NOT_GRANTED, embed={"callbacks": deep})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["task", "args", "options", "x"]), inner)
    ),
    max_leaves=15,
)


def outcome(embed: dict[str, Any]) -> Reason | None:
    try:
        check(embed=embed)
    except Rejected as refusal:
        return refusal.reason
    return None


@given(JSON)
def test_whatever_a_canvas_is_it_passes_or_is_rejected(value: Any) -> None:
    allowed = {None, Reason.BODY_MALFORMED, Reason.CANVAS_NOT_GRANTED, Reason.CANVAS_OPTION}
    assert outcome({"callbacks": value}) in allowed


@given(JSON, st.sampled_from(["link", "link_error", "chain", "chord"]))
def test_a_forbidden_signature_beside_anything_else_never_passes(value: Any, name: str) -> None:
    assert outcome({"callbacks": [sig("shop.refund", **{name: [value, FORBIDDEN]})]}) is not None
