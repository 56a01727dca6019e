"""Every case against a real worker on every broker it concerns."""

from __future__ import annotations

import pytest

from tests.attacks.case import BROKERS, Case
from tests.attacks.corpus import corpus
from tests.attacks.driver import play
from tests.attacks.stage import Stage

LOADED = corpus()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    pairs = [
        pytest.param(f"{broker}_server", case, marks=getattr(pytest.mark, broker), id=f"{broker}-{case.name}")
        for broker in BROKERS
        for case in LOADED
        if broker in case.brokers
    ]
    metafunc.parametrize(("attack_stage", "case"), pairs, indirect=["attack_stage"], scope="module")


def test_attack(attack_stage: Stage, case: Case) -> None:
    if case.lacks:
        pytest.skip(f"not there yet: {', '.join(case.lacks)}")
    play(attack_stage, case)
