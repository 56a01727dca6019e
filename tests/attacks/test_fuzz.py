"""The short run of the mutation fuzzer: the same mutants every time."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safecelery.errors import Reason
from tests.attacks.fuzz.harness import Harness, harness, peak_mib
from tests.attacks.fuzz.layers import LAYERS, Mutant
from tests.attacks.fuzz.oracle import Broken

#: Hypothesis shrinks what it finds; the plain generator is faster, and looks elsewhere.
SHRINKABLE, PLAIN = 300, 1700
#: Reasons that mutants must lead to, or the checks behind them were not reached.
REACHED = {
    Reason.ENVELOPE_MISSING, Reason.ENVELOPE_MALFORMED, Reason.VERSION_UNSUPPORTED, Reason.TYPE_MISMATCH,
    Reason.KEY_UNKNOWN, Reason.SIGNATURE_INVALID, Reason.CLAIMS_MALFORMED, Reason.CONTENT_DISALLOWED,
    Reason.BODY_MALFORMED, Reason.AUDIENCE_MISMATCH, Reason.TASK_NOT_GRANTED, Reason.QUEUE_NOT_GRANTED,
    Reason.CANVAS_NOT_GRANTED, Reason.CANVAS_OPTION, Reason.RETRIES_OUT_OF_RANGE, Reason.SCHEDULE_OUT_OF_RANGE,
}  # fmt: skip


@pytest.fixture(scope="module")
def fuzz(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    with harness(tmp_path_factory.mktemp("fuzz")) as made:
        yield made


def test_every_sample_is_admitted_as_it_is(fuzz: Harness) -> None:
    for sample in fuzz.forgery.samples:
        for over_amqp in (False, True):
            admitted = fuzz.judge(Mutant(sample, sample.item, sample.queue), over_amqp=over_amqp)
            assert admitted is not sample.name.startswith("a "), sample.name


@settings(max_examples=SHRINKABLE, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False))
def test_no_mutant_that_hypothesis_makes_breaks_the_law(fuzz: Harness, random: Random) -> None:
    fuzz.case(random)


def test_no_mutant_breaks_the_law_and_every_layer_is_reached(fuzz: Harness) -> None:
    before = peak_mib()
    for number in range(PLAIN):
        try:
            fuzz.case(Random(f"0-{number}"))
        except Broken as broken:
            raise AssertionError(f"case 0-{number}: {broken}") from broken
    figures = fuzz.figures
    assert set(figures.layers) == set(LAYERS)
    assert figures.admitted > 100, "mutants that are refused at the door say little"
    assert set(figures.refused) >= REACHED, sorted(REACHED - set(figures.refused))
    assert peak_mib() - before < 200
