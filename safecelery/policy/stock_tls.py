"""What stock Celery really does with a URL and its TLS options.

A scheme proves little. Read from the sources of celery 5.7.0, kombu 5.7.0, redis-py 8.1.0 and amqp 5.4.2:

* Redis broker (kombu/connection.py ``_init_params``; kombu/transport/redis.py ``Channel._connparams``): ``rediss://``
  without options becomes ``CERT_NONE``; any other options are merged into the connection, and what cannot be merged
  (``True``) is dropped together with TLS, ``rediss://`` or not. ``{}`` counts as no options. ``ssl_`` parameters of the
  URL *replace* the options (kombu/utils/url.py ``parse_url``), and switch TLS on even for ``redis://``.
* Redis results (celery/backends/redis.py ``RedisBackend.__init__``): options that do not say ``ssl_cert_reqs`` are a
  ValueError, ``True`` is a TypeError; URL parameters are added to the options and win.
* redis-py (redis/connection.py ``SSLConnection``): what is not said is ``required`` with a host name check; with
  ``CERT_NONE`` there is no host name check either.
* AMQP (kombu/transport/pyamqp.py; amqp/transport.py ``SSLTransport``): ``amqps://`` or a true option switches TLS on;
  the chain is checked unless ``cert_reqs`` says otherwise (or ``ssl_version`` names a protocol whose own default is not
  to check); the host name only where ``server_hostname`` is given, or ``context`` says ``check_hostname: True``.
* ``CERT_OPTIONAL`` in a client checks the chain like ``CERT_REQUIRED`` (Python's documentation of the ssl module).

How a value may be spelt here: ``ssl.CERT_NONE`` and its like as the member, its number, or text that ends in its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from safecelery.policy.facts import ABSENT, UNKNOWN, Absent, Place, Stated, TransportFacts, Tri, Unknown

__all__ = ["SSLMODE", "broker_family", "certificates_required", "masked_url", "stock_transport", "url_parts"]

_Quality: TypeAlias = "Literal['none', 'default', 'set'] | Unknown"

_REDIS: Final = frozenset({"redis", "rediss", "sentinel"})
_AMQP: Final = frozenset({"amqp", "amqps", "pyamqp", "librabbitmq"})
_LOCAL: Final = frozenset({"memory", "filesystem", "file", "redis+socket", "socket", "cache+memory"})
_POOR_PASSWORDS: Final = frozenset({"guest", "password", "redis", "changeme", "default"})
_REQUIREMENTS: Final[Mapping[int | str, Literal["none", "optional", "required"]]] = {
    0: "none", 1: "optional", 2: "required", "none": "none", "optional": "optional", "required": "required",
}  # fmt: skip
_PROTOCOL_TLS_CLIENT: Final = 16  # ssl.PROTOCOL_TLS_CLIENT
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_SQL: Final = re.compile(r"(?:db|database|sqla|sqlalchemy)\+(\w+)")
SSLMODE: Final[Mapping[str, tuple[bool, bool, bool]]] = {
    "disable": (False, False, False),
    "allow": (False, False, False),
    "prefer": (False, False, False),
    "require": (True, False, False),
    "verify-ca": (True, True, False),
    "verify-full": (True, True, True),
}
"""libpq's sslmode: encrypted for sure, chain checked, host name checked."""


def broker_family(scheme: object) -> str:
    """``"redis"``, ``"amqp"``, ``"local"`` (in this process or on this host), or the scheme itself in lower case."""
    name = scheme.lower() if isinstance(scheme, str) else ""
    return "redis" if name in _REDIS else "amqp" if name in _AMQP else "local" if name in _LOCAL else name


def certificates_required(value: Stated) -> Literal["none", "optional", "required"] | Unknown:
    """What a value of ``cert_reqs`` means; UNKNOWN for what nobody can say."""
    if value is None:
        return "none"  # redis/connection.py, SSLConnection
    if isinstance(value, bool) or not isinstance(value, int | str):
        return UNKNOWN
    key = int(value) if isinstance(value, int) else value.rpartition(".")[2].lower().removeprefix("cert_")
    return _REQUIREMENTS.get(key, UNKNOWN)


def url_parts(url: str) -> tuple[str, str, str, str, dict[str, str]]:
    """Scheme, user, password (both percent-encoded as written), host, and the query's parameters. Never raises."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, _, rest = url.partition(":")
    if not _SCHEME.fullmatch(scheme):
        return "", "", "", "", {}
    rest, _, _ = rest.partition("#")
    rest, _, query = rest.partition("?")  # as urllib.parse does, which kombu uses: a raw "?" or "/" ends a password
    userinfo, at, host = rest.partition("/")[0].rpartition("@")
    user, _, password = userinfo.partition(":") if at else ("", "", "")
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    parameters = {name: value for name, _, value in pairs}
    return scheme.lower(), user, password, _without_port(host), parameters


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def masked_url(url: object) -> str:
    """The URL without its secrets: password and parameters are masked, and everything of a kind that is all secret."""
    if not isinstance(url, str):
        return "<unknown>"
    members = [_masked(member) for member in url.split(";")]
    return ";".join(members)


def _masked(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url if "@" not in url and "=" not in url and len(url) < 40 else "<hidden>"
    if scheme.lower().startswith(("azure", "dynamodb")):  # connection strings and keys, in every place of the URL
        return f"{scheme}://***"
    userinfo, at, address = rest.rpartition("@")
    if at:
        user, colon, _ = userinfo.partition(":")
        # Of SQS and S3 the user is half of the secret; a user with these letters is no user.
        hidden = scheme.lower() in ("sqs", "s3") or bool(set(user) & set("/?#"))
        address = f"{'***' if hidden else user}{':***' if colon else ''}@{address}"
    address, mark, query = address.partition("?")
    query = "&".join(
        pair if pair.startswith("ssl") else f"{pair.partition('=')[0]}=***" for pair in query.split("&") if pair
    )
    return f"{scheme}://{address}{mark}{query}".replace("\n", " ")[:200]


def stock_transport(
    role: Literal["broker", "results"], url: Stated, use_ssl: Stated, where: Place, production: Tri
) -> TransportFacts:
    """The facts of one connection.

    Args:
        url: **one** URL (split a failover list at ``;`` first).
        use_ssl: ``broker_use_ssl`` for a broker, ``redis_backend_use_ssl`` for results; ABSENT or None if not stated.
            A mapping whose values cannot be read holds UNKNOWN for them.
    """
    if not isinstance(url, str):
        return _facts(role, where, production, "<unknown>", UNKNOWN, (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN), UNKNOWN)
    scheme, user, password, host, query = url_parts(url)
    options = None if use_ssl is ABSENT else use_ssl
    family = broker_family(scheme)
    wire: _Wire
    local: Tri = False
    quality: _Quality = UNKNOWN
    if family == "local" or scheme.startswith(("db+sqlite", "sqla+sqlite")):
        wire, local, quality = (False, False, False, None), True, "none"
    elif family == "redis":
        wire = _redis_broker(scheme, options, query) if role == "broker" else _redis_results(scheme, options, query)
        quality = _redis_password(user, password)
    elif family == "amqp" and role == "broker":
        wire, quality = _amqp(scheme, options, query), _amqp_password(user, password)
    elif scheme == "rpc":  # rides on the broker's connection, whose facts stand elsewhere
        wire = (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
    else:
        wire, quality = _other(scheme, query), "set" if password else UNKNOWN
    if host.startswith(("%2F", "%2f")):
        local = True  # a unix socket in the place of the host
    return _facts(role, where, production, masked_url(url), scheme, wire, quality, local=local)


_Wire: TypeAlias = "tuple[Tri, Tri, Tri, str | Unknown | None]"
_PLAIN: Final[_Wire] = (False, False, False, None)
_UNTOLD: Final[_Wire] = (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)


def _redis_broker(scheme: str, options: Stated, query: Mapping[str, str]) -> _Wire:
    from_url = {name: value for name, value in query.items() if name.startswith("ssl_")}
    if from_url:
        return _redis_tls(from_url)
    if isinstance(options, Mapping) and options:
        return _redis_tls(options)
    if options is UNKNOWN:
        return _UNTOLD
    if not options:  # None, False, {}
        return (True, False, False, None) if scheme == "rediss" else _PLAIN
    return _PLAIN  # True and other things that are no mapping: dropped, and TLS with them


def _redis_results(scheme: str, options: Stated, query: Mapping[str, str]) -> _Wire:
    if options is UNKNOWN:
        return (True if scheme == "rediss" else UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
    stated: dict[str, Stated] = {str(key): value for key, value in options.items()} if isinstance(
        options, Mapping
    ) else {}  # fmt: skip
    from_url = {name: value for name, value in query.items() if name.startswith("ssl_")}
    if scheme != "rediss" and not stated:
        # With TLS parameters in a redis:// URL the backend refuses to start; so it does with True as options.
        return _UNTOLD if from_url or options else _PLAIN
    merged = {**stated, **from_url}
    if "ssl_cert_reqs" not in merged:
        return (True, UNKNOWN, UNKNOWN, UNKNOWN)  # ValueError at first use: nothing is ever sent
    return _redis_tls(merged)


def _redis_tls(options: Mapping[str, Stated]) -> _Wire:
    needed = certificates_required(options.get("ssl_cert_reqs", "required"))
    checked = options.get("ssl_check_hostname", True)
    verified: Tri = UNKNOWN if needed is UNKNOWN else needed != "none"
    if isinstance(checked, str):
        checked = checked.lower() not in ("false", "0", "no", "n", "f")
    named: Tri = False if verified is False else checked if isinstance(checked, bool) else UNKNOWN
    if named is True and verified is UNKNOWN:
        named = UNKNOWN
    return (True, verified, named, _floor(options.get("ssl_min_version")))


def _amqp(scheme: str, options: Stated, query: Mapping[str, str]) -> _Wire:
    if options is UNKNOWN:
        return (True if scheme == "amqps" else UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN)
    if any(name.startswith("ssl") for name in query):
        return _UNTOLD  # handed on to amqp, which takes none of kombu's spellings
    if not isinstance(options, Mapping):
        return (True, True, False, None) if options or scheme == "amqps" else _PLAIN
    if not options and scheme != "amqps":
        return _PLAIN
    context = options.get("context")
    if context is UNKNOWN:
        return (True, UNKNOWN, UNKNOWN, UNKNOWN)
    if context:  # ssl.create_default_context: the chain is checked, whatever cert_reqs says
        named = context.get("check_hostname", False) if isinstance(context, Mapping) else UNKNOWN
        return (True, True, named if isinstance(named, bool) else UNKNOWN if named is UNKNOWN else bool(named), None)
    verified = _amqp_verified(options)
    name = options.get("server_hostname", ABSENT)
    named_here: Tri = UNKNOWN if name is UNKNOWN else not isinstance(name, Absent)
    if verified is False:
        named_here = False
    elif verified is UNKNOWN and named_here is True:
        named_here = UNKNOWN
    return (True, verified, named_here, _floor(options.get("tls_minimum_version")))


def _amqp_verified(options: Mapping[str, Stated]) -> Tri:
    stated = options.get("cert_reqs", ABSENT)
    if stated is ABSENT or stated is None:  # left to the context's own default
        version = options.get("ssl_version")
        if version is None:
            return True
        if not isinstance(version, str | int):
            return UNKNOWN
        return str(version).endswith("PROTOCOL_TLS_CLIENT") or version == _PROTOCOL_TLS_CLIENT
    needed = certificates_required(stated)
    return UNKNOWN if needed is UNKNOWN else needed != "none"


def _floor(value: Stated) -> str | Unknown | None:
    """``TLSv1.2`` for the spellings of ``ssl.TLSVersion.TLSv1_2``; 771 is its number."""
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return {769: "TLSv1", 770: "TLSv1.1", 771: "TLSv1.2", 772: "TLSv1.3"}.get(int(value), UNKNOWN)
    word = value.rpartition(".")[2].replace("_", ".") if isinstance(value, str) else ""
    return word if word in ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3") else UNKNOWN


def _other(scheme: str, query: Mapping[str, str]) -> _Wire:
    """Databases and services: what the URL alone tells."""
    sql = _SQL.match(scheme)
    if sql and sql[1].startswith(("postgres", "psycopg")):
        # Without a mode libpq "prefers" TLS: whoever sits in between declines it.
        wire = SSLMODE.get(query.get("sslmode", "prefer"))
        return (wire[0], wire[1], wire[2], None) if wire else _UNTOLD
    if scheme.endswith("+https") or scheme == "https":
        return (True, True, True, None)
    if scheme.endswith("+http") or scheme == "http":
        return _PLAIN
    return _UNTOLD


def _redis_password(user: str, password: str) -> _Quality:
    if not password:
        return "none"
    return "default" if password in _POOR_PASSWORDS or password == user else "set"


def _amqp_password(user: str, password: str) -> _Quality:
    if not user or (user, password) == ("guest", "guest"):
        return "default"  # kombu fills in guest:guest (kombu/transport/pyamqp.py, default_connection_params)
    if not password:
        return "default" if user == "guest" else "none"
    return "default" if password == user else "set"


def _facts(
    role: Literal["broker", "results"],
    where: Place,
    production: Tri,
    url: str,
    scheme: str | Unknown,
    wire: _Wire,
    password: _Quality,
    *,
    local: Tri = UNKNOWN,
) -> TransportFacts:
    tls, verified, host_checked, floor = wire
    return TransportFacts(
        role=role,
        where=where,
        production=production,
        url=url,
        scheme=scheme,
        tls=tls,
        verified=verified,
        host_checked=host_checked,
        tls_floor=floor,
        local=local,
        password=password,
    )
