"""Compose files: services, what they run, and the brokers beside them (compose-spec)."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from typing import Final

from safecelery.lint.deploy.brokers import broker_service
from safecelery.lint.deploy.dockerfile import Image, drops_root, image_of
from safecelery.lint.deploy.duration import seconds
from safecelery.lint.deploy.environment import HOLE, Environment, interpolate
from safecelery.lint.deploy.process import Surroundings, is_root, processes
from safecelery.lint.deploy.services import command_words, published_ports, replicas_of, restarts_of, variables_of
from safecelery.lint.deploy.tree import Tree
from safecelery.lint.deploy.yaml import Map, Node, Scalar, Seq, documents
from safecelery.policy.facts import UNKNOWN, DeployFacts, Stated, Tri

__all__ = ["is_compose", "read_compose"]

_MAIN: Final = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_STOP_GRACE_S: Final = 10
"""compose-spec, ``stop_grace_period``."""


def is_compose(name: str) -> bool:
    """``docker-compose.prod.yml``, ``compose.yaml``."""
    lower = name.lower()
    return lower.endswith((".yml", ".yaml")) and "compose" in lower


def read_compose(relative: str, text: str, tree: Tree) -> Iterator[DeployFacts]:
    """The Celery processes of the services; and the brokers beside them, if there are any."""
    services = _services(text)
    if services is None:
        return
    base = _base_services(relative, tree)
    merged = {
        name: _extended(name, service, services, base, relative, tree)
        for name, service in services.items.items()
        if isinstance(service, Map)
    }
    images = {}
    for service in merged.values():
        image = _built(service, relative, tree)
        if image is not None and isinstance(tag := service.get("image"), Scalar):
            images[tag.text] = image
    hosts = frozenset(name.lower() for name in (*services.items, *(base.items if base is not None else ())))
    found: list[DeployFacts] = []
    for name, service in merged.items():
        found.extend(_service(service, services.lines.get(name, service.line), relative, tree, images, hosts))
    yield from found
    if found:
        for name, service in merged.items():
            yield from broker_service(service, services.lines.get(name, service.line), relative, tree)


def _services(text: str) -> Map | None:
    for document in documents(text):
        services = document.get("services") if isinstance(document, Map) else None
        if isinstance(services, Map):
            return services
    return None


def _base_services(relative: str, tree: Tree) -> Map | None:
    """The services of the main Compose file beside an override."""
    directory, name = posixpath.split(relative)
    if name.lower() in _MAIN:
        return None
    for main in _MAIN:
        path = posixpath.join(directory, main)
        if path in tree.absolute and (text := tree.text(path)) is not None:
            if path not in tree.compose:
                tree.compose[path] = _services(text)
            return tree.compose[path]
    return None


def _extended(name: str, service: Map, services: Map, base: Map | None, relative: str, tree: Tree) -> Map:
    """With what it inherits: ``extends``, and the main file's service of the same name if this is an override."""
    for _ in range(5):
        extends = service.items.get("extends")
        if extends is None:
            break
        rest = Map({k: v for k, v in service.items.items() if k != "extends"}, service.line, service.templated)
        rest.lines = service.lines
        parent = _parent(extends, services, relative, tree)
        if parent is None:
            rest.templated = True  # what it inherits is not at hand
            return rest
        service = _overlaid(parent, rest)
    if base is not None and "image" not in service.items and "build" not in service.items:
        original = base.items.get(name)
        if isinstance(original, Map):
            return _overlaid(original, service)
        service.templated = True
    return service


def _parent(extends: Node, services: Map, relative: str, tree: Tree) -> Map | None:
    if isinstance(extends, Scalar):
        node = services.items.get(extends.text)
    elif isinstance(extends, Map) and isinstance(wanted := extends.get("service"), Scalar):
        node = services.items.get(wanted.text)
        if isinstance(file := extends.get("file"), Scalar):
            found = tree.resolve(file.text, relative)
            text = tree.text(found) if found is not None else None
            others = _services(text) if text is not None else None
            node = others.items.get(wanted.text) if others is not None else None
    else:
        node = None
    return node if isinstance(node, Map) else None


def _overlaid(parent: Map, child: Map) -> Map:
    merged = Map({**parent.items, **child.items}, child.line, parent.templated or child.templated)
    above, below = parent.items.get("environment"), child.items.get("environment")
    if isinstance(above, Map) and isinstance(below, Map):
        merged.items["environment"] = Map(
            {**above.items, **below.items}, below.line, above.templated or below.templated
        )
    return merged


def _service(
    service: Map, line: int, relative: str, tree: Tree, images: Mapping[str, Image], hosts: frozenset[str]
) -> Iterator[DeployFacts]:
    image = _built(service, relative, tree)
    if image is None and isinstance(tag := service.get("image"), Scalar):
        image = images.get(tag.text)
    outside = Environment()
    environment = variables_of(service, relative, tree, outside)
    if image is not None:
        environment.values = {**image.environment, **environment.values}
    if isinstance(tag := service.get("image"), Scalar) and "airflow" in tag.text.lower():
        environment.values.setdefault("AIRFLOW_HOME", HOLE)
    entrypoint = command_words(service.get("entrypoint"), outside)
    command = command_words(service.get("command"), outside)
    words = (*(entrypoint or ()), *(command or ()))
    if image is not None:
        if entrypoint is None and command is None:
            tree.followed.add(image.file)
        words = (
            *(image.entrypoint if entrypoint is None else entrypoint),
            *((image.command if entrypoint is None else ()) if command is None else command),
        )
    environment.taken |= outside.taken
    around = Surroundings(
        relative,
        "compose",
        tree,
        production=tree.production(relative),
        environment=environment,
        root=_root(service, image, outside, tree),
        health_check=_health(service, image),
        restarts=restarts_of(service),
        replicas=replicas_of(service),
        stop_grace_s=_grace(service, outside),
        published=published_ports(service, outside),
        local_hosts=hosts,
    )
    yield from processes(words, line, around)


def _built(service: Map, relative: str, tree: Tree) -> Image | None:
    """The image of ``build:``, if its Dockerfile is in the tree."""
    build = service.items.get("build")
    environment = Environment()
    context, file, target = ".", "Dockerfile", ""
    if isinstance(build, Scalar):
        context = interpolate(build.text, environment)
    elif isinstance(build, Map):
        for key in ("context", "dockerfile", "target"):
            if isinstance(node := build.get(key), Scalar):
                value = interpolate(node.text, environment)
                context, file, target = (
                    (value, file, target) if key == "context"
                    else (context, value, target) if key == "dockerfile"
                    else (context, file, value)
                )  # fmt: skip
    else:
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(relative), context, file))
    text = tree.text(path) if path in tree.absolute else None
    return image_of(path, text, target.lower()) if text is not None else None


def _root(service: Map, image: Image | None, outside: Environment, tree: Tree) -> Tri:
    user = service.get("user")
    if isinstance(user, Scalar) and user.text:
        return is_root(interpolate(user.text, outside))
    if user is not None or image is None:
        return UNKNOWN
    return drops_root(image, tree) if service.get("entrypoint") is None else image.root


def _health(service: Map, image: Image | None) -> Tri:
    node = service.get("healthcheck")
    if isinstance(node, Map):
        disabled = node.get("disable")
        test = node.get("test")
        none = (
            isinstance(test, Seq)
            and bool(test.items)
            and isinstance(first := test.items[0], Scalar)
            and first.text == "NONE"
        )
        if (isinstance(disabled, Scalar) and disabled.text.lower() == "true") or none:
            return False
        if test is not None:
            return True
        return image.health_check if image is not None else UNKNOWN
    if node is not None or image is None:
        return UNKNOWN
    return image.health_check


def _grace(service: Map, outside: Environment) -> Stated:
    node = service.get("stop_grace_period")
    if isinstance(node, Scalar):
        return seconds(interpolate(node.text, outside))
    return _STOP_GRACE_S if node is None else UNKNOWN
