"""Kubernetes manifests and Helm templates: the containers of workloads that stay (Kubernetes API, Workloads)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from safecelery.lint.deploy.environment import HOLE, Environment
from safecelery.lint.deploy.process import Surroundings, processes
from safecelery.lint.deploy.shell import Word
from safecelery.lint.deploy.tree import Tree
from safecelery.lint.deploy.yaml import Map, Node, Opaque, Scalar, Seq, documents
from safecelery.policy.facts import UNKNOWN, DeployFacts, Stated, Tri, Unknown

__all__ = ["read_kubernetes"]

_KINDS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Pod"})
_STOP_GRACE_S: Final = 30
"""Pod, ``terminationGracePeriodSeconds``."""
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_REFERENCE = re.compile(r"\$(?:(\$)\(|\(([A-Za-z_]\w*)\))")


def read_kubernetes(relative: str, text: str, tree: Tree) -> Iterator[DeployFacts]:
    """The Celery processes of every workload in the file."""
    for document in documents(text):
        if not isinstance(document, Map):
            continue
        kind = document.get("kind")
        if isinstance(kind, Scalar) and kind.text == "List" and isinstance(items := document.get("items"), Seq):
            for item in items.items:
                if isinstance(item, Map):
                    yield from _workload(item, relative, tree)
        else:
            yield from _workload(document, relative, tree)


def _workload(document: Map, relative: str, tree: Tree) -> Iterator[DeployFacts]:
    kind = document.get("kind")
    if not isinstance(kind, Scalar) or kind.text not in _KINDS:
        return
    spec = document.get("spec")
    pod = spec if kind.text == "Pod" else document.get("spec", "template", "spec")
    if not isinstance(pod, Map) or not isinstance(spec, Map):
        return
    containers = pod.get("containers")
    for container in containers.items if isinstance(containers, Seq) else []:
        if isinstance(container, Map):
            environment = _environment(container)
            words = (*_words(container.get("command"), environment), *_words(container.get("args"), environment))
            around = Surroundings(
                relative,
                "kubernetes",
                tree,
                production=tree.production(relative),
                environment=environment,
                root=_root(pod, container),
                health_check=_health(container),
                restarts=_restarts(pod) if kind.text == "Pod" else True,
                overlaps=_overlaps(kind.text, spec),
                replicas=1 if kind.text == "Pod" else _replicas(spec),
                stop_grace_s=_grace(pod),
            )
            line = container.lines.get("command", container.lines.get("args", container.line))
            yield from processes(words, line, around)


def _environment(container: Map) -> Environment:
    found = Environment(complete=container.get("envFrom") is None)
    variables = container.get("env")
    for item in variables.items if isinstance(variables, Seq) else []:
        name = item.get("name") if isinstance(item, Map) else None
        value = item.get("value") if isinstance(item, Map) else None
        if isinstance(name, Scalar):
            found.values[name.text] = _expanded(value.text, found) if isinstance(value, Scalar) else HOLE
        else:
            found.complete = False
    if isinstance(variables, Opaque) or (isinstance(variables, Seq) and variables.templated):
        found.complete = False
    return found


def _expanded(text: str, environment: Environment) -> str:
    """``$(NAME)``, which Kubernetes replaces itself."""
    return _REFERENCE.sub(lambda m: "$(" if m.group(1) else environment.look(m.group(2)), text)


def _words(node: Node | None, environment: Environment) -> tuple[Word, ...]:
    if node is None:
        return ()
    if not isinstance(node, Seq):
        return (Word(HOLE, many=True),)
    words = [
        Word(_expanded(item.text, environment)) if isinstance(item, Scalar) else Word(HOLE, many=True)
        for item in node.items
    ]
    return (*words, Word(HOLE, many=True)) if node.templated else tuple(words)


def _root(pod: Map, container: Map) -> Tri:
    """The container's context wins over the pod's; without either, the image decides."""
    for key in ("runAsUser", "runAsNonRoot"):
        for holder in (container, pod):
            node = holder.get("securityContext", key)
            if isinstance(node, Scalar) and HOLE not in node.text:
                if key == "runAsUser":
                    return node.text.strip("\"' ") == "0"
                if node.text.lower() == "true":
                    return False
            elif isinstance(node, Scalar | Opaque):
                return UNKNOWN
    return UNKNOWN


def _health(container: Map) -> Tri:
    probes = [container.get(name) for name in _PROBES]
    if any(isinstance(probe, Map) for probe in probes):
        return True
    return UNKNOWN if any(probe is not None for probe in probes) else False


def _restarts(pod: Map) -> Tri:
    node = pod.get("restartPolicy")
    if node is None:
        return True
    return node.text != "Never" if isinstance(node, Scalar) and HOLE not in node.text else UNKNOWN


def _overlaps(kind: str, spec: Map) -> Tri:
    """A Deployment rolls by default, and rounds its surge up: for one replica a second one is started first."""
    if kind != "Deployment":
        return False
    node = spec.get("strategy", "type")
    if isinstance(node, Scalar) and node.text == "Recreate":
        return False
    surge = spec.get("strategy", "rollingUpdate", "maxSurge")
    if isinstance(surge, Scalar) and surge.text in ("0", "0%"):
        return False
    if isinstance(node, Opaque) or isinstance(surge, Opaque) or (isinstance(node, Scalar) and HOLE in node.text):
        return UNKNOWN
    return True


def _replicas(spec: Map) -> int | Unknown:
    node = spec.get("replicas")
    if node is None:
        return 1
    text = node.text if isinstance(node, Scalar) else ""
    return int(text) if text.isdecimal() and len(text) < 6 else UNKNOWN


def _grace(pod: Map) -> Stated:
    node = pod.get("terminationGracePeriodSeconds")
    if node is None:
        return _STOP_GRACE_S
    text = node.text if isinstance(node, Scalar) else ""
    return int(text) if text.isdecimal() and len(text) < 12 else UNKNOWN
