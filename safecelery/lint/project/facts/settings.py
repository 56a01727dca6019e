"""An app's settings and connections as facts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from safecelery.lint.model.reading import env_of, plain
from safecelery.lint.model.values import Ext, ExtInstance, Seq, Val, unknown
from safecelery.lint.project.analysis import Analysis
from safecelery.lint.project.conf import Configuration
from safecelery.lint.project.facts.evidence import Subject, blocked_by, place_of, stated
from safecelery.lint.project.objects import App
from safecelery.policy.facts import ABSENT, UNKNOWN, AppFacts, Place, SettingsFacts, Stated, TransportFacts, Tri
from safecelery.policy.stock_tls import masked_url, stock_transport

__all__ = ["app_place", "app_subjects", "derived", "settings_facts"]

_CONCLUDED = (
    "the scheme", "the URL", "TLS", "certificate verification", "host name checking", "the TLS floor", "the password",
)  # fmt: skip
"""What rules conclude from a URL and its TLS options, in their words."""
_ADDRESSES = frozenset({"broker_url", "broker_read_url", "broker_write_url"})
_FOR_DEVELOPMENT = frozenset({"task_always_eager", "task_eager_propagates"})
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "0.0.0.0")  # noqa: S104  (a name to recognise, nothing is bound)


def app_place(app: App) -> Place:
    """Where the app is made."""
    return Place(app.module.path, app.line)


def settings_facts(analysis: Analysis, app: App, conf: Configuration, **more: Any) -> SettingsFacts:
    """The settings of one app."""
    where = app_place(app)
    namespace = conf.namespace
    return SettingsFacts(
        app=app.label,
        where=where,
        production=analysis.in_production(app),
        stated={name: _judged(name, value) for name, value in conf.values.items()},
        complete=conf.open is None,
        places={name: place_of(value, where) for name, value in conf.values.items()},
        signing=True if app.safe else bool(analysis.dialect.security) and UNKNOWN,
        names=tuple(conf.names) if conf.open is None else UNKNOWN,
        beside=_beside(app),
        namespace=None if namespace is None else plain(namespace),
        strays=tuple(conf.strays),
        source_empty=_source_empty(app, conf),
        **more,
    )


def _judged(name: str, value: Val) -> Stated:
    """The value; UNKNOWN for a switch of development whose default the environment replaces in production."""
    if name in _FOR_DEVELOPMENT and set(value.env) - {"DJANGO_SETTINGS_MODULE"}:
        return UNKNOWN
    if name in _ADDRESSES and value.data in ("", None) and set(value.env) - {"DJANGO_SETTINGS_MODULE"}:
        return UNKNOWN  # the environment says which broker it is, not Celery's default
    return stated(value)


def _beside(app: App) -> tuple[str, ...]:
    """Names stated on ``app.conf`` while an object is read, else those that the app is made with."""
    alone = not any(event.kind == "source" for event in app.events)
    made = app.module.path, app.line
    stated = (event for event in app.events if event.kind == "set")
    return tuple(event.name for event in stated if not alone or (event.at.file, event.at.line) == made)


def _source_empty(app: App, conf: Configuration) -> Tri:
    """It reads settings from an object, and what was read from there is nothing."""
    if app.safe or not any(event.kind == "source" for event in app.events):
        return False
    elsewhere = {event.name for event in app.events if event.kind == "set"}
    if set(conf.names) - elsewhere:
        return False
    return UNKNOWN if conf.open is not None else True


def app_subjects(
    analysis: Analysis, app: App, conf: Configuration, in_use: Callable[[], Collection[str]]
) -> Iterator[Subject]:
    """The connections of a plain Celery app, and the app as a whole. What ``create_app`` makes, it checks itself.

    ``in_use``: those of the names that Celery does not know which some code of the project reads.
    """
    if app.safe:
        return
    where = app_place(app)
    production = analysis.in_production(app)
    brokers = list(_brokers(conf, where, production))
    results = _results(conf, where, production)
    values = dict(conf.values)
    strange = {name: at for name, at in conf.unknown_names.items() if name not in in_use()}
    if conf.open is not None:
        for name in ("task_serializer", "result_serializer", "accept_content", "broker_url", "worker_pool"):
            values.setdefault(name, conf.open)
    facts = AppFacts(
        where=where,
        production=production,
        task_serializer=stated(conf.value("task_serializer")),
        result_serializer=stated(conf.value("result_serializer")),
        event_serializer=stated(conf.value("event_serializer")),
        accept_content=_names(conf.value("accept_content"), empty=frozenset()),
        result_accept_content=_names(conf.value("result_accept_content"), empty=None),
        signing=_signing(analysis, app, conf),
        trusted_keys=None,
        brokers=UNKNOWN if any(item is None for item in brokers) else (),
        results=None,
        worker_pool=_pool(conf.value("worker_pool")),
        task_protocol=stated(conf.value("task_protocol")),
        unknown_settings=tuple(strange) if conf.open is None else UNKNOWN,
        report_mode=(),  # there is no firewall; signing-off speaks of that
    )
    facts = _with_broker(facts, brokers)
    for name, at in strange.items():
        values.setdefault(name, Val(None, (), (at,)))
    yield Subject(facts, values, points_at_value=True, concluded=derived(conf))
    for subject in (*brokers, results):
        if subject is not None:
            yield subject


def derived(conf: Configuration) -> dict[str, Val]:
    """What rules conclude from the broker and the backend, by the words they use, where one of these cannot be read."""
    found: dict[str, Val] = {}
    broker, results = conf.value("broker_url"), conf.value("result_backend")
    if blocked_by(broker) is not None:
        words = "the brokers", "the broker URL", "the kind of broker", "the broker", "visibility_timeout"
        found |= dict.fromkeys(words, broker)
    if blocked_by(results) is not None:
        found["the result backend"] = results
    return found


def _with_broker(facts: AppFacts, brokers: list[Subject | None]) -> AppFacts:
    """Name the brokers, which have subjects of their own: an app with none breaks a rule."""
    from dataclasses import replace

    transports = tuple(item.facts for item in brokers if item is not None and isinstance(item.facts, TransportFacts))
    return facts if facts.brokers is UNKNOWN else replace(facts, brokers=transports)


def _signing(analysis: Analysis, app: App, conf: Configuration) -> Tri:
    if app.safe:
        return True
    if conf.value("task_serializer").data == "auth" or analysis.dialect.security:
        return False  # Celery's own signs the body alone, which other rules speak of
    return False


def _names(value: Val, empty: Any) -> Any:
    read = stated(value)
    if read is None or read == []:
        return empty
    if isinstance(read, str):
        read = [read]
    if isinstance(read, list | tuple) and all(isinstance(item, str) for item in read):
        return frozenset(read)
    return UNKNOWN


def _pool(value: Val) -> Any:
    read = plain(value)
    if isinstance(read, str):
        return read
    return "prefork" if read is None else UNKNOWN


def _brokers(conf: Configuration, where: Place, production: Tri) -> Iterator[Subject | None]:
    """One for each address, None where that cannot be told."""
    name = next((n for n in ("broker_url", "broker_read_url") if conf.stated(n)), "broker_url")
    value = conf.value(name)
    ssl = conf.value("broker_use_ssl")
    if value.data is None:
        if conf.stated("broker_transport") or conf.stated("broker_host"):
            yield None
            return
        value = Val("amqp://guest:guest@localhost//", value.env, value.because)  # kombu's own default
    urls = _urls(value)
    if urls is None:
        yield None
        return
    for url in urls:
        yield _connection("broker", url, ssl, where, production, name, "broker_use_ssl")


def _urls(value: Val) -> list[Val] | None:
    data = value.data
    if data == "" and value.env:
        return [value]  # an empty default: the environment says which
    if isinstance(data, str):
        return [Val(part.strip(), value.env, value.because) for part in data.split(";") if part.strip()] or None
    if isinstance(data, Seq) and not data.open and data.items:
        return [Val(item.data, item.env or value.env, item.because or value.because) for item in data.items]
    return None


def _connection(role: Any, url: Val, ssl: Val, where: Place, production: Tri, url_name: str, ssl_name: str) -> Subject:
    address = plain(url)
    options = stated(ssl)
    depends = [name for name in env_of(url) if name != "DJANGO_SETTINGS_MODULE"]
    if (
        depends
        and isinstance(address, str)
        and (not address or any(name in address for name in (*_LOOPBACK, ".invalid")))
    ):
        # A default for development: where it runs, the variable says something else.
        url = unknown(f"environment variable {depends[0]}", url.env, url.because)
        facts = stock_transport(role, UNKNOWN, options if options is not None else ABSENT, where, production)
        address = UNKNOWN
    else:
        facts = stock_transport(role, address, options if options not in (None, False) else ABSENT, where, production)
    place = place_of(url, where)
    from dataclasses import replace

    facts = replace(facts, where=place)
    if isinstance(address, str) and _on_this_host(address):
        facts = replace(facts, local=True)  # no network is between them
    shown = masked_url(address) if isinstance(address, str) else "<unknown>"
    values = {url_name: url, ssl_name: ssl, "the scheme": url, "the URL": url, "TLS": url, shown: url}
    decides = url if blocked_by(url) is not None or ssl.data in (None, False) else ssl
    return Subject(facts, values, concluded=dict.fromkeys(_CONCLUDED, decides))


def _on_this_host(address: str) -> bool:
    host = address.partition("://")[2].partition("/")[0].rpartition("@")[2]
    return any(host == name or host.startswith(f"{name}:") for name in _LOOPBACK)


def _results(conf: Configuration, where: Place, production: Tri) -> Subject | None:
    value = conf.value("result_backend")
    data = value.data
    if data is None or data == "" or (isinstance(data, str) and data.startswith(("disabled", "rpc"))):
        return None
    if data in ("django-db", "django-cache", "cache", "database", "rpc", "amqp"):
        return None
    if isinstance(data, Ext | ExtInstance):
        return None
    return _connection(
        "results",
        value,
        conf.value("redis_backend_use_ssl"),
        where,
        production,
        "result_backend",
        "redis_backend_use_ssl",
    )


def known(value: Stated) -> bool:
    """The value could be read."""
    return value is not UNKNOWN
