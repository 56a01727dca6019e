"""9xx: what others can reach or read. User interfaces, brokers beside the workers, credentials in files."""

from __future__ import annotations

from safecelery.policy.facts import UNKNOWN, DeployFacts
from safecelery.policy.limits import Limits
from safecelery.policy.reading import unreadable
from safecelery.policy.rule import PASS, Fail, Rule, Severity, Undecided, Verdict
from safecelery.policy.rules.deployed import in_production, must_be, texts

__all__ = ["RULES"]


@in_production("flower")
def _authenticated(process: DeployFacts, _: Limits) -> Verdict:
    return must_be(
        process.authenticated,
        True,
        "it is given no password (basic-auth) and no login (auth)",
        "its configuration or environment cannot be seen",
    )


@in_production("flower")
def _open_api(process: DeployFacts, _: Limits) -> Verdict:
    return must_be(process.open_api, False, "FLOWER_UNAUTHENTICATED_API is set", "the environment cannot be seen")


def _published(process: DeployFacts) -> Verdict:
    if process.published is UNKNOWN:
        return unreadable("the published ports")
    return _named(process.published)


@in_production("flower")
def _ui_published(process: DeployFacts, _: Limits) -> Verdict:
    return _published(process)


@in_production("broker")
def _broker_published(process: DeployFacts, _: Limits) -> Verdict:
    return _published(process)


@in_production("broker")
def _broker_password(process: DeployFacts, _: Limits) -> Verdict:
    if process.password is UNKNOWN:
        return Undecided("its configuration cannot be seen")
    if process.password == "set":  # noqa: S105  # a word of the facts
        return PASS
    return Fail("guest:guest" if process.password == "default" else "no password")  # noqa: S105  # likewise


def _named(names: object) -> Verdict:
    return Fail(", ".join(texts(names))) if texts(names) else PASS


@in_production("worker", "beat", "flower")
def _command_credentials(process: DeployFacts, _: Limits) -> Verdict:
    return _named(process.secrets_in_command)


@in_production("worker", "beat", "flower", "broker")
def _environment_credentials(process: DeployFacts, _: Limits) -> Verdict:
    return _named(process.secrets_in_environment)


@in_production("worker", "beat", "flower")
def _plain_urls(process: DeployFacts, _: Limits) -> Verdict:
    return _named(process.plain_urls)


RULES = (
    Rule(
        code="SFC958",
        name="ui-without-authentication",
        subject=DeployFacts,
        severity=Severity.CRITICAL,
        check=_authenticated,
        message="lets anybody who reaches it read arguments, revoke tasks and stop workers",
        fix="give it basic-auth from a secret, or an OAuth provider",
    ),
    Rule(
        code="SFC959",
        name="ui-api-open",
        subject=DeployFacts,
        severity=Severity.CRITICAL,
        check=_open_api,
        message="opens the API that runs tasks to requests without a login",
        fix="remove FLOWER_UNAUTHENTICATED_API",
    ),
    Rule(
        code="SFC960",
        name="ui-published-to-all",
        subject=DeployFacts,
        severity=Severity.HIGH,
        check=_ui_published,
        message="is published on every network interface of its host",
        fix="publish it on 127.0.0.1 only, and reach it through a proxy or a tunnel",
    ),
    Rule(
        code="SFC961",
        name="credential-on-command-line",
        subject=DeployFacts,
        severity=Severity.HIGH,
        check=_command_credentials,
        message="is given a credential on its command line, which every user of the host can read",
        fix="pass it in a file or a variable that the secret store sets, and change the credential",
    ),
    Rule(
        code="SFC962",
        name="credential-in-deployment-file",
        subject=DeployFacts,
        severity=Severity.HIGH,
        check=_environment_credentials,
        message="is given a credential that stands in the repository",
        fix="refer to a secret instead (${VARIABLE:?} in Compose, secretKeyRef, EnvironmentFile=), and change it",
    ),
    Rule(
        code="SFC963",
        name="broker-service-without-password",
        subject=DeployFacts,
        severity=Severity.HIGH,
        check=_broker_password,
        message="obeys whoever reaches it",
        fix="set a password: --requirepass from a secret for Redis, RABBITMQ_DEFAULT_USER and _PASS for RabbitMQ",
    ),
    Rule(
        code="SFC964",
        name="broker-service-published",
        subject=DeployFacts,
        severity=Severity.HIGH,
        check=_broker_published,
        message="is published on every network interface of its host",
        fix="remove ports:; services of one Compose file reach each other without it",
    ),
    Rule(
        code="SFC965",
        name="broker-url-plain-text",
        subject=DeployFacts,
        severity=Severity.MEDIUM,
        check=_plain_urls,
        message="talks to its broker or backend on another host without TLS",
        fix="use amqps:// or rediss:// with a CA, and check the host name",
    ),
)
