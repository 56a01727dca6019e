"""Which store the ledger of an app lives in, and that its connection keeps to the policy."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from celery import Celery
from celery.app.utils import Settings

from safecelery.brokers import Tls, broker_for, mask
from safecelery.errors import SettingsError
from safecelery.policy.facts import Place, TransportFacts
from safecelery.runtime.conf import broker_urls
from safecelery.runtime.database_facts import is_postgresql, postgresql_facts
from safecelery.runtime.facts import transport_facts
from safecelery.runtime.guard import guard_of
from safecelery.settings import LEDGER_OFF, SafeCelerySettings
from safecelery.stores import open_store, scheme_of
from safecelery.stores.interface import Store

__all__ = ["StorePlace", "approved_place", "open_ledger"]

logger = logging.getLogger("safecelery")

_REDIS = ("redis", "rediss")
_FIX = "set SAFECELERY_LEDGER__URL to a rediss://, postgresql+psycopg:// or sqlite:/// URL"


@dataclass(frozen=True, slots=True)
class StorePlace:
    """A store's URL and redis-py's TLS options for it. Has the password in it: never for a log."""

    url: str
    tls: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"StorePlace({mask(self.url)!r})"


def approved_place(app: Celery) -> StorePlace | None:
    """Where the ledger is; None if it is turned off, which is logged.

    Raises:
        SettingsError: nowhere to keep it.
        PolicyViolationError: the connection to it breaks the policy.
    """
    guard = guard_of(app)
    stated = guard.settings.ledger.url
    if stated is not None and stated.get_secret_value() == LEDGER_OFF:
        logger.warning(
            "the delivery ledger is OFF (ledger.url = %r): a captured message runs as often as it is sent, and a task "
            "that kills its worker for ever",
            LEDGER_OFF,
        )
        return None
    place = _stated(guard.settings, stated.get_secret_value()) if stated is not None else _derived(app.conf)
    facts = _facts(place, production=guard.settings.profile == "production")
    if facts is not None:
        guard.enforce(facts)
    return place


def open_ledger(app: Celery) -> Store | None:
    """The app's store, connected at its first use; None if the ledger is turned off. As :func:`approved_place`."""
    place = approved_place(app)
    return open_store(place.url, place.tls) if place is not None else None


def _stated(settings: SafeCelerySettings, url: str) -> StorePlace:
    broker, ledger = settings.broker, settings.ledger
    tls = Tls(ledger.ca_file, ledger.cert_file, ledger.key_file, broker.tls_floor).or_else(
        Tls(broker.ca_file, broker.cert_file, broker.key_file, broker.tls_floor)
    )
    return StorePlace(url, broker_for(url).ssl_options(tls) if scheme_of(url) == "rediss" else {})


def _derived(conf: Settings) -> StorePlace:
    """The broker's own Redis, or the results'."""
    brokers = broker_urls(conf)
    kinds = {scheme_of(url) for url in brokers}
    if kinds == {"memory"}:
        return StorePlace("memory://", {})
    if kinds and kinds <= {*_REDIS}:
        match brokers:
            case (url,):
                return StorePlace(url, _options(conf.broker_use_ssl))
        raise SettingsError(
            f"ledger.url is not set, and {len(brokers)} brokers are: a ledger on each of them would know a part of the "
            f"messages only; fix: {_FIX}"
        )
    results = str(conf.result_backend or "")
    if scheme_of(results) in _REDIS:
        return StorePlace(results, _options(conf.redis_backend_use_ssl))
    raise SettingsError(
        "ledger.url is not set, and neither broker nor results are a Redis: there is no place to keep account of the "
        f"messages that ran, so each could be replayed; fix: {_FIX}"
    )


def _options(ssl: object) -> Mapping[str, Any]:
    return MappingProxyType(dict(ssl)) if isinstance(ssl, dict) else {}


def _facts(place: StorePlace, *, production: bool) -> TransportFacts | None:
    """What the connection really is; None where there is none (a file, memory)."""
    scheme = scheme_of(place.url)
    where = Place("ledger.url")
    if is_postgresql(place.url):
        return postgresql_facts("ledger", place.url, where, production=production)
    if scheme in (*_REDIS, "postgresql"):  # by another driver: of that nothing is known
        return transport_facts("ledger", place.url, dict(place.tls) or None, where, production=production)
    return None
