"""The three subjects with a caller beside the worker, on each backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from safecelery.testing.processes import CeleryProcess
from safecelery.testing.servers import RabbitServer, RedisServer
from tests.attacks.results.answer import PlainResultSealer, ResultSealer
from tests.attacks.results.keys import HIDDEN, AnswerKeys
from tests.attacks.results.process import Caller
from tests.attacks.results.sealers import AuthResultSealer, EnvelopeResultSealer
from tests.attacks.subjects.auth import AuthSealer
from tests.attacks.subjects.hardened import EnvelopeSealer
from tests.attacks.subjects.interface import Sealer
from tests.attacks.subjects.stock import StockSealer

__all__ = ["BACKENDS", "SUBJECTS", "Place", "Players"]

#: Backend -> in words, for the page.
BACKENDS = {
    "redis": "results in Redis",
    "rpc": "results by rpc, as messages of RabbitMQ",
    "database": "results in an SQL database (SQLite)",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stage stands."""

    broker: RedisServer | RabbitServer
    broker_url: str
    results: RedisServer
    results_url: str
    directory: Path
    witness_file: Path
    gates: Path


@dataclass(frozen=True, slots=True)
class Players:
    """What a subject brings."""

    results: ResultSealer
    tasks: Sealer
    worker_env: Mapping[str, str]
    caller_env: Mapping[str, str]
    place: Place

    def make_worker(self) -> CeleryProcess:
        """A real one, of four processes."""
        return CeleryProcess(
            "service.answers", "worker", ["-c", "4", "-Q", "orders", "-n", "answers@%h"],
            directory=self.place.directory, env=self.worker_env,
        )  # fmt: skip

    def make_caller(self) -> Caller:
        """Another service."""
        return Caller(self.place.directory, self.caller_env)


def _common(place: Place) -> dict[str, str]:
    return {"SERVICE_WITNESS": str(place.witness_file), "SERVICE_GATES": str(place.gates)}


def _hardened(place: Place) -> Players:
    keys = AnswerKeys(place.directory)
    ca_file = str(place.broker.ca_file)
    settings = {
        "BROKER__URL": place.broker_url,
        "BROKER__CA_FILE": ca_file,
        "RESULTS__URL": place.results_url,
        "LEDGER__URL": place.results.url_for(LEDGER_DB),
        "LEDGER__CA_FILE": str(place.results.ca_file),
        "SIGNING__TRUST_FILE": str(keys.trust_file),
        "ENCRYPTION__TASKS": HIDDEN,
        "DEFAULT_QUEUE": "orders",
    }
    if place.results_url.startswith("rediss"):
        settings["RESULTS__CA_FILE"] = str(place.results.ca_file)
    common = {**{f"SAFECELERY_{name}": value for name, value in settings.items()}, **_common(place)}

    def environment(owner: str) -> dict[str, str]:
        return {
            **common,
            "SAFECELERY_SIGNING__KEY": keys.reference(owner),
            "SAFECELERY_ENCRYPTION__KEYS": keys.recipients.reference(owner),
        }

    return Players(
        EnvelopeResultSealer(keys),
        EnvelopeSealer(keys),  # type: ignore[arg-type] - it asks for keys and their ids only
        environment("worker"),
        environment("caller"),
        place,
    )


#: Database of Redis that keeps the ledger, whatever the backend is.
LEDGER_DB = 55


def _stock(place: Place, variant: str) -> dict[str, str]:
    return {
        "STOCK_VARIANT": variant,
        "STOCK_BROKER": place.broker_url,
        "STOCK_RESULTS": place.results_url,
        "STOCK_CA": str(place.broker.ca_file),
        "STOCK_QUORUM": "1" if isinstance(place.broker, RabbitServer) else "",
        **_common(place),
    }


def _plain(place: Place) -> Players:
    environment = _stock(place, "plain")
    return Players(PlainResultSealer(), StockSealer(), environment, environment, place)


def _auth(place: Place) -> Players:
    directory = place.directory / "certificates"
    directory.mkdir()
    sealer = AuthSealer(directory)

    def environment(owner: str) -> dict[str, str]:
        return {
            **_stock(place, "auth"),
            "STOCK_KEY": str(sealer.store / f"{owner}.key"),
            "STOCK_CERTIFICATE": str(sealer.store / f"{owner}.pem"),
            "STOCK_STORE": str(sealer.store / "*.pem"),
        }

    return Players(AuthResultSealer(sealer), sealer, environment("worker"), environment("full"), place)


#: Subject -> what opens it; the names are those of `tests/attacks/subjects`.
SUBJECTS: dict[str, Callable[[Place], Players]] = {"safecelery": _hardened, "auth": _auth, "plain": _plain}
