"""Redis and RabbitMQ as services of a Compose file: whether they ask for a password, and who can reach them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

from safecelery.lint.deploy.environment import HOLE, Environment, interpolate
from safecelery.lint.deploy.secrets import credentials_in_environment
from safecelery.lint.deploy.services import (
    command_words,
    published_ports,
    replicas_of,
    restarts_of,
    variables_of,
)
from safecelery.lint.deploy.tree import Tree
from safecelery.lint.deploy.yaml import Map, Scalar, Seq
from safecelery.policy.facts import UNKNOWN, DeployFacts, Place, Unknown

__all__ = ["broker_service"]

_REDIS = re.compile(r"(?:redis|valkey|keydb)(?:-server|-stack|-stack-server|-alpine)?")
_Password: TypeAlias = Literal["none", "default", "set"]


def broker_service(service: Map, line: int, relative: str, tree: Tree) -> Iterator[DeployFacts]:
    """A Redis or RabbitMQ service."""
    tag = service.get("image")
    if not isinstance(tag, Scalar):
        return
    outside = Environment()
    image = interpolate(tag.text, outside)
    name = image.partition("@")[0].rsplit("/", 1)[-1].partition(":")[0].lower()
    rabbit = name.startswith("rabbitmq")
    if not rabbit and not _REDIS.fullmatch(name):
        return
    environment = Environment()
    node = service.get("environment")
    if isinstance(node, Map | Seq):
        environment = variables_of(Map({"environment": node}, line), relative, Tree(()), outside)
    words = [word.text for word in command_words(service.get("command"), outside) or ()]
    yield DeployFacts(
        role="broker",
        where=Place(relative, line),
        command=image.replace(HOLE, "..."),
        source="compose",
        production=tree.production(relative),
        password=_rabbit_password(service, environment) if rabbit else _redis_password(service, words, environment),
        published=published_ports(service, outside),
        secrets_in_environment=credentials_in_environment(environment.values),
        restarts=restarts_of(service),
        replicas=replicas_of(service),
        environment=tuple(sorted(outside.taken)),
    )


def _redis_password(service: Map, words: list[str], environment: Environment) -> _Password | Unknown:
    text = " ".join(words)
    match = re.search(r"--requirepass[= ]+(\S+)", text)
    if match:
        return "set" if match.group(1).strip("\"'") else "none"
    if environment.values.get("ALLOW_EMPTY_PASSWORD", "").lower() in ("yes", "true", "1"):
        return "none"
    if any(name.endswith(("PASSWORD", "PASSWORD_FILE")) for name in environment.values):
        return "set"  # the images of Bitnami read it
    unread = ".conf" in text or "--aclfile" in text or HOLE in text or service.templated
    if (
        unread
        or service.get("env_file") is not None
        or service.get("entrypoint") is not None
        or "redis.conf" in _volumes(service)
    ):
        return UNKNOWN
    return "none"


def _rabbit_password(service: Map, environment: Environment) -> _Password | Unknown:
    values = environment.values
    password = values.get("RABBITMQ_DEFAULT_PASS", values.get("RABBITMQ_PASSWORD"))
    if "RABBITMQ_DEFAULT_PASS_FILE" in values:
        return "set"
    if password is not None:
        return "default" if password in ("guest", "") else "set"
    if service.get("env_file") is not None or not environment.complete or service.templated:
        return UNKNOWN
    if re.search(r"rabbitmq\.conf|definitions|/etc/rabbitmq", _volumes(service)):
        return UNKNOWN
    return "default"


def _volumes(service: Map) -> str:
    node = service.get("volumes")
    if not isinstance(node, Seq):
        return ""
    return " ".join(item.text for item in node.items if isinstance(item, Scalar))
