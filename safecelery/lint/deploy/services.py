"""What both Celery processes and brokers of a Compose file need: variables, ports, restarts, copies."""

from __future__ import annotations

from safecelery.lint.deploy.environment import HOLE, Environment, interpolate, known
from safecelery.lint.deploy.shell import Word, commands, split
from safecelery.lint.deploy.tree import Tree
from safecelery.lint.deploy.yaml import Map, Node, Opaque, Scalar, Seq
from safecelery.policy.facts import UNKNOWN, Tri, Unknown

__all__ = ["command_words", "published_ports", "replicas_of", "restarts_of", "variables_of"]

_LOOPBACK = ("127.", "localhost", "[::1]", "::1")


def variables_of(service: Map, relative: str, tree: Tree, outside: Environment) -> Environment:
    """``environment`` over ``env_file``; a variable without a value comes from outside."""
    found = Environment()
    files = service.get("env_file")
    for entry in files.items if isinstance(files, Seq) else [] if files is None else [files]:
        path = entry.get("path") if isinstance(entry, Map) else entry
        resolved = tree.resolve(path.text, relative) if isinstance(path, Scalar) and path.text else None
        text = tree.text(resolved) if resolved is not None else None
        if text is None:
            found.complete = False
        else:
            for _ in commands(text, found):
                pass
    node = service.get("environment")
    if isinstance(node, Map):
        found.complete = found.complete and not node.templated
        for name, value in node.items.items():
            found.values[name] = interpolate(value.text, outside) if isinstance(value, Scalar) else HOLE
    elif isinstance(node, Seq):
        for item in node.items:
            if isinstance(item, Scalar):
                name, equals, text = item.text.partition("=")
                found.values[name] = interpolate(text, outside) if equals else HOLE
    elif isinstance(node, Opaque):
        found.complete = False
    return found


def command_words(node: Node | None, outside: Environment) -> tuple[Word, ...] | None:
    if isinstance(node, Scalar):
        text = interpolate(node.text, outside)
        return tuple(_loose(word) for word in split(text)) if text.strip() else None
    if isinstance(node, Seq):
        return tuple(
            Word(interpolate(item.text, outside)) if isinstance(item, Scalar) else Word(HOLE, many=True)
            for item in node.items
        )
    return None if node is None else (Word(HOLE, many=True),)


def _loose(word: Word) -> Word:
    """An unknown variable alone may stand for several words: Compose splits after it has replaced."""
    return Word(HOLE, many=True) if word.text == HOLE else word


def restarts_of(service: Map) -> Tri:
    policy = service.get("restart")
    if isinstance(policy, Scalar) and policy.text:
        return UNKNOWN if "$" in policy.text and ":-" not in policy.text else policy.text.lower() not in ("no", "false")
    deployed = service.get("deploy", "restart_policy", "condition")
    if isinstance(deployed, Scalar):
        return deployed.text.lower() != "none"
    if isinstance(policy, Opaque) or isinstance(deployed, Opaque):
        return UNKNOWN
    return service.get("deploy", "restart_policy") is not None


def replicas_of(service: Map) -> int | Unknown:
    for node in (service.get("deploy", "replicas"), service.get("scale")):
        if isinstance(node, Scalar):
            return int(node.text) if node.text.isdecimal() and len(node.text) < 6 else UNKNOWN
        if node is not None:
            return UNKNOWN
    return 1


def published_ports(service: Map, outside: Environment) -> tuple[str, ...] | Unknown:
    """Ports that every host may reach. A port without an address is published on all interfaces."""
    node = service.get("ports")
    if node is None:
        return ()
    if not isinstance(node, Seq):
        return UNKNOWN
    found = []
    for item in node.items:
        if isinstance(item, Map):
            address, port = item.get("host_ip"), item.get("published") or item.get("target")
            host = interpolate(address.text, outside) if isinstance(address, Scalar) else ""
            number = interpolate(port.text, outside) if isinstance(port, Scalar) else HOLE
        elif isinstance(item, Scalar):
            parts = interpolate(item.text, outside).partition("/")[0].rsplit(":", 2)
            host = parts[0] if len(parts) == 3 else ""
            number = parts[-2] if len(parts) > 1 else parts[0]
        else:
            return UNKNOWN
        if host.startswith(_LOOPBACK) or not known(host):
            continue
        found.append(f"{host or '0.0.0.0'}:{number if known(number) else '...'}")  # noqa: S104  # a text
    return tuple(found)
