"""The driver tells the subjects apart: a few attacks whose outcome on stock Celery is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from safecelery.testing.servers import RedisServer
from tests.attacks.case import Case
from tests.attacks.corpus import corpus
from tests.attacks.driver import Outcome, attack
from tests.attacks.matrix.document import document, totals
from tests.attacks.stage import Stage, on_stage
from tests.attacks.subjects import SUBJECTS
from tests.attacks.subjects.stock import StockSealer

CASES = {case.name: case for case in corpus()}
KNOWN = {
    "plain": {
        "honest_chain_admitted": "ran",
        "unsigned_rejected": "ran",
        "callback_not_granted_rejected": "ran",
        "time_limit_header_raised_admitted": "ran",
        "replayed_rejected": "ran",
        "control_stats_harmless": "ran",
        "unsigned_pickle_rejected": "blocked",
        "claim_missing_rejected": "n/a",
        "garbage_item_rejected": "crashed",
    },
    "auth": {
        "honest_call_admitted": "ran",
        "unsigned_rejected": "blocked",
        "arguments_changed_rejected": "blocked",
        "forged_key_rejected": "blocked",
        "task_header_swapped_admitted": "ran",
        "task_not_granted_rejected": "ran",
        "signed_pickle_rejected": "ran",
        "claim_missing_rejected": "n/a",
        "unsigned_application_text_rejected": "crashed",
    },
}


@pytest.fixture(scope="module", params=KNOWN)
def stock_stage(
    request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    with on_stage(SUBJECTS[request.param], redis_server, redis_server, tmp_path_factory.mktemp("stock")) as stage:
        yield stage


@pytest.mark.redis
def test_stock_celery_does_what_it_is_known_to_do(stock_stage: Stage) -> None:
    expected = KNOWN[stock_stage.subject.name]
    found = {name: attack(stock_stage, CASES[name]) for name in expected}
    assert {name: outcome.verdict for name, outcome in found.items()} == expected, found
    stock_stage.check_alive()


def test_a_case_about_the_envelope_alone_means_nothing_without_one() -> None:
    reduce = StockSealer().reduce
    assert reduce(CASES["version_unsupported_rejected"]) is None
    assert reduce(CASES["envelope_swapped_rejected"]) is None
    assert reduce(CASES["stale_rejected"]) is not None  # it only looks old to those who look
    assert reduce(CASES["impostor_key_rejected"]) is not None  # its sender is still nobody
    kept = reduce(CASES["signed_protocol_1_body_rejected"])
    assert kept is not None
    assert [step["op"] for step in kept.wire] == ["set-header"]


def outcomes(case: Case) -> dict[tuple[str, str, str], Outcome]:
    return {
        ("safecelery", "redis", case.name): Outcome("blocked", "a|reason"),
        ("plain", "redis", case.name): Outcome("crashed", "exited"),
    }


def test_the_document_counts_attacks_and_shows_every_case() -> None:
    one, honest = CASES["unsigned_rejected"], CASES["honest_call_admitted"]
    results = {**outcomes(one), ("safecelery", "redis", honest.name): Outcome("ran")}
    counted = totals(results, [one, honest])
    assert counted["safecelery", "redis"] == Counter(blocked=1)
    page = document(results, [one, honest], ["today"])
    assert (
        "<!-- unsigned_rejected --> | blocked: a\\|reason | not run | not run | not run | **crashed**: exited" in page
    )
    assert "| safecelery, Redis | 1 | 1 | 0 | 0 | 0 | 0 | 1 of 1 |" in page
