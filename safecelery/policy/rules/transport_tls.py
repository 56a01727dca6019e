"""2xx: TLS options that switch verification off, or that Celery takes and then does not use.

transport.py judges what a connection does, in production; these rules judge what somebody wrote, wherever it stands.
What each spelling really does is in :mod:`safecelery.policy.stock_tls`, with its sources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from safecelery.policy.facts import ABSENT, UNKNOWN, SettingsFacts, Stated
from safecelery.policy.limits import Limits
from safecelery.policy.reading import shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Undecided, Verdict
from safecelery.policy.settings_reading import broker_urls, families, key_of, result_store, setting
from safecelery.policy.stock_tls import certificates_required, masked_url, url_parts

__all__ = ["RULES"]

_OPTIONS: Final = ("broker_use_ssl", "redis_backend_use_ssl")
_REQUIREMENT_KEYS: Final = ("ssl_cert_reqs", "cert_reqs")
_NAME_KEYS: Final = ("ssl_check_hostname", "check_hostname")
_TLS_KEYS: Final = frozenset({
    "ssl", "use_ssl", "ssl_cert_reqs", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "cert_reqs", "ca_certs",
    "certfile", "keyfile",
})  # fmt: skip


def _in_vain(facts: SettingsFacts, _: Limits) -> Verdict:
    options = setting(facts, "broker_use_ssl")
    if not _switched_on(options):
        return unreadable("broker_use_ssl") if options is UNKNOWN else PASS
    urls = broker_urls(facts)
    if urls is UNKNOWN:
        return Undecided(f"broker_use_ssl is {_short(options)}, and the broker URL cannot be determined")
    for url in urls:
        scheme, _user, _password, _host, query = url_parts(url)
        if any(name.startswith("ssl_") for name in query):
            continue  # then the URL decides
        if scheme in ("redis", "rediss", "sentinel") and not (isinstance(options, Mapping) and options):
            return Fail(f"broker_use_ssl is {_short(options)}, which {masked_url(url)} does not take")
    return PASS


def _switched_on(options: Stated) -> bool:
    """Somebody meant TLS: True, or a dictionary, empty or not."""
    return isinstance(options, Mapping) or (options is not UNKNOWN and options not in (None, False, 0, ""))


def _short(value: Stated) -> str:
    return "{}" if isinstance(value, Mapping) and not value else shown(value)


def _spelled(facts: SettingsFacts) -> Iterator[tuple[str, Stated]]:
    """Every certificate requirement and host name switch that somebody wrote, with its place."""
    for name in _OPTIONS:
        options = setting(facts, name)
        if options is UNKNOWN:
            yield name, UNKNOWN
            continue
        context = key_of(options, "context")
        for where, mapping in ((name, options), (f"{name}['context']", context)):
            for key in (*_REQUIREMENT_KEYS, *_NAME_KEYS):
                value = key_of(mapping, key)
                if value is not ABSENT:
                    yield f"{where}[{key!r}]", value
    urls = broker_urls(facts)
    results = setting(facts, "result_backend")
    members = () if urls is UNKNOWN else urls
    for url in (*members, *((results,) if isinstance(results, str) else ())):
        for key, value in url_parts(url)[4].items():
            if key in (*_REQUIREMENT_KEYS, *_NAME_KEYS):
                yield f"{key} in {masked_url(url)}", value
            elif key == "sslmode" and value in ("disable", "allow", "prefer"):
                yield f"sslmode in {masked_url(url)}", "none"


def _switched_off(facts: SettingsFacts, _: Limits) -> Verdict:
    unread = []
    for where, value in _spelled(facts):
        if value is UNKNOWN:
            unread.append(where)
        elif _is_name_switch(where):
            if value is False or (isinstance(value, str) and value.lower() in ("false", "0", "no")):
                return Fail(f"{where} is {shown(value)}")
        elif certificates_required(value) == "none":
            return Fail(f"{where} is {shown(value)}, so any certificate is accepted")
    return unreadable(*unread[:2]) if unread else PASS


def _is_name_switch(where: str) -> bool:
    return "check_hostname" in where


def _optional(facts: SettingsFacts, _: Limits) -> Verdict:
    for where, value in _spelled(facts):
        if value is not UNKNOWN and not _is_name_switch(where) and certificates_required(value) == "optional":
            return Fail(f"{where} is {shown(value)}")
    return PASS


def _wrong_place(facts: SettingsFacts, _: Limits) -> Verdict:
    for name in ("broker_transport_options", "result_backend_transport_options"):
        options = setting(facts, name)
        if isinstance(options, Mapping):
            # amqp.Connection takes "ssl" from the transport options, and swallows every other name.
            kinds = families(facts)
            allowed = {"ssl"} if name.startswith("broker") and (kinds is UNKNOWN or "amqp" in kinds) else set()
            found = sorted(key for key in options if key in _TLS_KEYS and key not in allowed)
            if found:
                return Fail(f"{name} holds {', '.join(found)}")
    return _unused(facts)


def _unused(facts: SettingsFacts) -> Verdict:
    """TLS options for a connection of another kind."""
    if _switched_on(setting(facts, "redis_backend_use_ssl")):
        kind = result_store(facts)
        if kind is not UNKNOWN and kind is not None and kind not in ("redis", "rediss", "sentinel") and "." not in kind:
            return Fail(f"redis_backend_use_ssl is stated, and results go to {kind}")
    if _switched_on(setting(facts, "broker_use_ssl")):
        kinds = families(facts)
        if kinds is not UNKNOWN and kinds and kinds <= {"local"}:
            return Fail("broker_use_ssl is stated, and the broker is in this process or on this host's disk")
    return PASS


def _results_incomplete(facts: SettingsFacts, _: Limits) -> Verdict:
    url = setting(facts, "result_backend")
    if not isinstance(url, str) or url_parts(url)[0] != "rediss":
        return PASS
    if "ssl_cert_reqs" in url_parts(url)[4]:
        return PASS
    options = setting(facts, "redis_backend_use_ssl")
    if options is UNKNOWN:
        return unreadable("redis_backend_use_ssl")
    if key_of(options, "ssl_cert_reqs") is not ABSENT:
        return PASS
    return Fail(f"{masked_url(url)} and redis_backend_use_ssl are both without ssl_cert_reqs")


def _one_name_for_all(facts: SettingsFacts, _: Limits) -> Verdict:
    options = setting(facts, "broker_use_ssl")
    if key_of(options, "server_hostname") is ABSENT:
        return PASS
    urls = broker_urls(facts)
    if urls is UNKNOWN:
        return PASS  # most apps have one broker, and this is about lists
    hosts = sorted({url_parts(url)[3] for url in urls})
    if len(hosts) < 2:
        return PASS
    return Fail(f"server_hostname is one name, the hosts are {', '.join(hosts)}")


RULES = (
    Rule(
        code="SFC207",
        name="tls-switched-on-in-vain",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_in_vain,
        message="asks for TLS in a way that Redis connections do not take",
        fix="state a dictionary: {'ssl_cert_reqs': ssl.CERT_REQUIRED, 'ssl_ca_certs': PATH}",
    ),
    Rule(
        code="SFC208",
        name="tls-verification-switched-off",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_switched_off,
        message="switches the verification of a server off",
        fix="require a certificate (ssl.CERT_REQUIRED), and name the CA file where the CA is your own",
    ),
    Rule(
        code="SFC209",
        name="tls-certificate-optional",
        subject=SettingsFacts,
        severity=Severity.LOW,
        check=_optional,
        message="says that a server's certificate is optional",
        fix="say ssl.CERT_REQUIRED, which is what happens, and what readers and other clients understand",
    ),
    Rule(
        code="SFC210",
        name="tls-options-nobody-reads",
        subject=SettingsFacts,
        severity=Severity.HIGH,
        check=_wrong_place,
        message="states TLS options where no connection looks for them",
        fix="broker_use_ssl for the broker, redis_backend_use_ssl for results in Redis, URL parameters for databases",
    ),
    Rule(
        code="SFC211",
        name="results-tls-incomplete",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_results_incomplete,
        message="cannot open its result store: the first use raises ValueError",
        fix="state ssl_cert_reqs: ssl.CERT_REQUIRED in redis_backend_use_ssl, and ssl_ca_certs for a CA of your own",
    ),
    Rule(
        code="SFC212",
        name="failover-hosts-share-one-name",
        subject=SettingsFacts,
        severity=Severity.MEDIUM,
        check=_one_name_for_all,
        message="checks every broker of its failover list against one host name",
        fix="give all brokers a certificate that holds a common name, or use create_app, which checks each by its own",
    ),
)
