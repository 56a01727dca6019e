"""Canvas: what a worker publishes on behalf of a sender is signed by the worker, and all of it works."""

from __future__ import annotations

import pytest
from celery import chain, chord, group

from tests.integration.stage import IDLE, TIMEOUT, Stage, eventually


def test_a_chain(stage: Stage) -> None:
    work = chain(stage.sign("add", 1, 2), stage.sign("add", 3), stage.sign("add", 4))
    assert work.apply_async().get(timeout=TIMEOUT) == 10


def test_a_group(stage: Stage) -> None:
    assert group(stage.sign("add", n, n) for n in range(4)).apply_async().get(timeout=TIMEOUT) == [0, 2, 4, 6]


def test_a_chord(stage: Stage) -> None:
    work = chord([stage.sign("add", n, 1) for n in range(4)], stage.sign("total"))
    assert work.apply_async().get(timeout=TIMEOUT) == 10


def test_a_chain_into_a_group_becomes_a_chord(stage: Stage) -> None:
    work = chain(stage.sign("add", 1, 1), group(stage.sign("add", 1), stage.sign("add", 2)), stage.sign("total"))
    assert work.apply_async().get(timeout=TIMEOUT) == 7


def test_a_chord_of_chains_inside_a_chain(stage: Stage) -> None:
    inner = chord([chain(stage.sign("add", n, 1), stage.sign("add", 10)) for n in range(3)], chain(stage.sign("total")))
    assert chain(inner, stage.sign("add", 100)).apply_async().get(timeout=TIMEOUT) == 136


def test_a_group_in_a_chord_in_a_group(stage: Stage) -> None:
    work = group(chord([stage.sign("add", 1, 1)] * 2, stage.sign("total")), stage.sign("add", 5, 5))
    assert work.apply_async().get(timeout=TIMEOUT) == [4, 10]


def test_chunks(stage: Stage) -> None:
    chunks = stage.app.tasks["service.add"].chunks([(n, n) for n in range(6)], 2)
    assert chunks.apply_async().get(timeout=TIMEOUT) == [[0, 2], [4, 6], [8, 10]]


def test_map(stage: Stage) -> None:
    assert stage.app.tasks["service.charge"].map([1, 2]).apply_async().get(timeout=TIMEOUT) == [
        "charged 1",
        "charged 2",
    ]


def test_starmap(stage: Stage) -> None:
    assert stage.app.tasks["service.add"].starmap([(1, 2), (3, 4)]).apply_async().get(timeout=TIMEOUT) == [3, 7]


def test_a_callback(stage: Stage) -> None:
    stage.app.tasks["service.add"].apply_async((20, 22), link=stage.sign("note", "linked"))
    eventually(lambda: stage.witnesses("note", args=["42", "'linked'"]))


def test_a_callback_of_a_callback_on_another_queue(stage: Stage) -> None:
    second = stage.sign("note", "second").set(queue="extra")
    first = stage.sign("add", 1)
    first.link(second)
    stage.app.tasks["service.add"].apply_async((30, 1), link=first)
    eventually(lambda: stage.witnesses("note", args=["32", "'second'"]))


def test_an_errback_is_called_with_the_id_of_the_failed_task(stage: Stage) -> None:
    result = stage.app.tasks["service.fail"].apply_async(("broken",), link_error=stage.sign("note", "failed"))
    with pytest.raises(ValueError, match="broken"):
        result.get(timeout=TIMEOUT)
    eventually(lambda: [line for line in stage.witnesses("note") if any("failed" in arg for arg in line["args"])])


def test_a_chord_whose_part_fails_calls_the_errback_and_not_the_body(stage: Stage) -> None:
    body = stage.sign("note", "chord body").on_error(stage.sign("note", "chord errback"))
    result = chord([stage.sign("add", 1, 1), stage.sign("fail", "part")], body).apply_async()
    with pytest.raises(Exception, match="part"):
        result.get(timeout=TIMEOUT)
    eventually(lambda: [line for line in stage.witnesses("note") if "'chord errback'" in line["args"]])
    assert not [line for line in stage.witnesses("note") if "'chord body'" in line["args"]]


def test_replace(stage: Stage) -> None:
    assert stage.call("replaced", 21) == 42


def test_replace_inside_a_chain(stage: Stage) -> None:
    work = chain(stage.sign("replaced", 5), stage.sign("add", 1))
    assert work.apply_async().get(timeout=TIMEOUT) == 11


@pytest.mark.parametrize("options", [{"countdwn": 5}, {"queu": "celery"}])
def test_a_misspelt_option_of_a_signature_is_refused_with_the_right_name(stage: Stage, options: dict[str, int]) -> None:
    with pytest.raises(TypeError, match="did you mean"):
        stage.app.tasks["service.add"].signature((1, 2), **options)


def test_the_parts_of_a_group_are_signed_each_for_itself(stage: Stage) -> None:
    group(stage.sign("add", n, n).set(queue=IDLE) for n in range(3)).apply_async()
    items = stage.take(IDLE)
    assert len({item.headers["safecelery"] for item in items}) == 3


def test_a_map_in_a_chain_and_as_a_callback(stage: Stage) -> None:
    work = chain(stage.sign("add", 1, 2), stage.app.tasks["service.charge"].map([4]), stage.sign("note"))
    assert work.apply_async().get(timeout=TIMEOUT) == "noted"
    eventually(lambda: stage.witnesses("note", args=["['charged 4']"]))
