"""Whatever the order of claims, renewals, completions, releases and lapses: each store does what a small model does."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from safecelery.stores import open_store
from safecelery.stores.interface import Admitted, Held, Poison, Replayed, Store
from tests.contract.store_places import OPENERS

MOST = 3
LONG = 600.0
MESSAGES = st.integers(0, 2)


@dataclass
class Model:
    """What is known of one message."""

    state: str = "new"
    deliveries: int = 0
    token: int = 0


class Ledger(RuleBasedStateMachine):
    """Three messages; ``tokens`` are all that were ever given out for each, so that old ones are tried again."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.run = secrets.token_hex(8)
        self.models = [Model() for _ in range(3)]
        self.tokens: list[list[int]] = [[] for _ in range(3)]

    def jti(self, n: int) -> str:
        return f"{self.run}-{n}-message"

    @rule(n=MESSAGES, lapses=st.booleans())
    def claim(self, n: int, lapses: bool) -> None:
        model = self.models[n]
        found = self.store.claim(self.jti(n), "w", lease_s=0.002 if lapses else LONG, ttl_s=LONG, max_deliveries=MOST)
        if model.state == "done":
            assert found == Replayed()
        elif model.state == "held":
            assert isinstance(found, Held)
        elif model.deliveries >= MOST:
            assert found == Poison(MOST)
        else:
            assert isinstance(found, Admitted)
            assert found.delivery == model.deliveries + 1
            assert found.token > model.token
            model.deliveries, model.token = found.delivery, found.token
            self.tokens[n].append(found.token)
            model.state = "lapsed" if lapses else "held"
            if lapses:
                time.sleep(0.006)  # SQLite's clock has milliseconds

    @rule(n=MESSAGES, data=st.data())
    def complete(self, n: int, data: st.DataObject) -> None:
        token, mine = self._token(n, data)
        model = self.models[n]
        assert self.store.complete([(self.jti(n), token)])[0] == (mine and model.state in ("held", "lapsed", "done"))
        if mine and model.state in ("held", "lapsed"):
            model.state = "done"

    @rule(n=MESSAGES, data=st.data(), counts=st.booleans())
    def release(self, n: int, data: st.DataObject, counts: bool) -> None:
        token, mine = self._token(n, data)
        model = self.models[n]
        done = self.store.release(self.jti(n), token, counts=counts)
        assert done == (mine and model.state in ("held", "lapsed"))
        if done:
            model.state = "free"
            model.deliveries -= not counts

    @rule(n=MESSAGES, data=st.data())
    def renew(self, n: int, data: st.DataObject) -> None:
        token, mine = self._token(n, data)
        model = self.models[n]
        (done,) = self.store.renew([(self.jti(n), token)], LONG)
        assert done == (mine and model.state in ("held", "lapsed"))
        if done:
            model.state = "held"

    @precondition(lambda self: any(self.tokens))
    @rule()
    def sweep(self) -> None:
        assert self.store.sweep() == 0

    def _token(self, n: int, data: st.DataObject) -> tuple[int, bool]:
        token = data.draw(st.sampled_from(self.tokens[n] or [1]))
        return token, token == self.models[n].token


@pytest.mark.parametrize("kind", sorted(OPENERS))
def test_every_store_behaves_as_the_model(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    place = OPENERS[kind](request, tmp_path)
    opened = open_store(place.url, place.tls)

    class OfThisStore(Ledger):
        store = opened

    try:
        run_state_machine_as_test(
            OfThisStore, settings=settings(max_examples=40, stateful_step_count=25, deadline=None)
        )
    finally:
        opened.close()
