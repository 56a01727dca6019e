"""2xx: the connections. TLS that proves whom it talks to, and a password worth the name.

A scheme alone proves nothing: ``amqps://`` does not check the host name, a ``rediss://`` broker checks nothing at all
(measured on kombu 5.7). These rules look at what the connection will really do. They speak in production only, and
never about a local transport, except that having no broker at all is always wrong.
"""

from __future__ import annotations

from safecelery.policy.facts import UNKNOWN, AppFacts, TransportFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import shown, unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Undecided, Verdict
from safecelery.policy.vocabulary import TLS_VERSIONS

__all__ = ["RULES"]


def _on_production_network(transport: TransportFacts, verdict: Verdict) -> Verdict:
    """The verdict, where it counts; undecided if it is bad and it cannot be told whether it counts."""
    if transport.production is False or transport.local is True:
        return PASS
    if isinstance(verdict, Fail):
        if transport.production is UNKNOWN:
            return Undecided(f"{verdict.detail}, and it cannot be determined whether this is production")
        if transport.local is UNKNOWN:
            return Undecided(f"{verdict.detail}, and it cannot be determined whether the transport is local")
    return verdict


def _must_hold(transport: TransportFacts, value: object, fact: str, otherwise: str) -> Verdict:
    if value is True:
        return PASS
    verdict: Verdict = unreadable(fact) if value is UNKNOWN else Fail(otherwise)
    return _on_production_network(transport, verdict)


def _encrypted(transport: TransportFacts, _: Limits) -> Verdict:
    return _must_hold(transport, transport.tls, "whether TLS is on", "TLS is off")


def _chain_verified(transport: TransportFacts, _: Limits) -> Verdict:
    return _must_hold(transport, transport.verified, "certificate verification", "any certificate is accepted")


def _host_checked(transport: TransportFacts, _: Limits) -> Verdict:
    return _must_hold(
        transport, transport.host_checked, "host name checking", "a certificate for any host name is accepted"
    )


def _tls_floor(transport: TransportFacts, limits: Limits) -> Verdict:
    floor = transport.tls_floor
    if floor is UNKNOWN:
        return _on_production_network(transport, unreadable("the TLS floor"))
    if floor in TLS_VERSIONS and TLS_VERSIONS.index(floor) >= TLS_VERSIONS.index(limits.tls_floor):
        return PASS
    detail = "no floor is set" if floor is None else f"the floor is {shown(floor)}"
    return _on_production_network(transport, Fail(f"{detail}, the policy asks for {limits.tls_floor}"))


def _password(transport: TransportFacts, _: Limits) -> Verdict:
    if transport.password == "set":  # noqa: S105 - the name of a state
        return PASS
    if transport.password is UNKNOWN:
        return _on_production_network(transport, unreadable("the password"))
    detail = "there is no password" if transport.password == "none" else "the password is the server's default"  # noqa: S105
    return _on_production_network(transport, Fail(detail))


def _broker_configured(app: AppFacts, _: Limits) -> Verdict:
    if app.brokers is UNKNOWN:
        return unreadable("the brokers")
    return PASS if app.brokers else Fail("the list of brokers is empty")


RULES = (
    Rule(
        code="SFC201",
        name="plain-text-transport",
        subject=TransportFacts,
        severity=Severity.HIGH,
        check=_encrypted,
        message="is reached over the network in plain text",
        fix="use rediss:// or amqps:// and name the CA file; a broker on this host may use a unix socket instead",
    ),
    Rule(
        code="SFC202",
        name="tls-chain-not-verified",
        subject=TransportFacts,
        severity=Severity.HIGH,
        check=_chain_verified,
        message="is reached without verifying who answers",
        fix="require a certificate (CERT_REQUIRED) and name the CA file that signed the server's",
    ),
    Rule(
        code="SFC203",
        name="tls-host-name-not-checked",
        subject=TransportFacts,
        severity=Severity.HIGH,
        check=_host_checked,
        message="is reached without comparing host name and certificate",
        fix="AMQP: give server_hostname for each broker; Redis: ssl_check_hostname = True",
    ),
    Rule(
        code="SFC204",
        name="tls-floor-too-low",
        subject=TransportFacts,
        severity=Severity.MEDIUM,
        check=_tls_floor,
        message="is reached with a TLS version below the policy's floor",
        fix="set the minimum TLS version of the connection to the policy's tls_floor",
    ),
    Rule(
        code="SFC205",
        name="transport-password-missing-or-default",
        subject=TransportFacts,
        severity=Severity.HIGH,
        check=_password,
        message="is open to anybody who can reach it",
        fix="create a user with a password of its own for this service, and put it into the secrets directory",
    ),
    Rule(
        code="SFC206",
        name="broker-missing",
        subject=AppFacts,
        severity=Severity.HIGH,
        check=_broker_configured,
        message="names no broker, so Celery would fall back to amqp://guest:guest@localhost",
        fix="set the broker URL",
    ),
)
