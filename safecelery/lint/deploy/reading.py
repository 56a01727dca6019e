"""The entry: files in, facts about processes, packages and secrets out."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from safecelery.lint.deploy.compose import is_compose, read_compose
from safecelery.lint.deploy.daemons import read_procfile, read_supervisor, read_systemd
from safecelery.lint.deploy.deployment import Deployment
from safecelery.lint.deploy.dockerfile import is_dockerfile, read_dockerfile
from safecelery.lint.deploy.environment import Environment
from safecelery.lint.deploy.keyfiles import Repository, may_be_secret, read_secret
from safecelery.lint.deploy.kubernetes import read_kubernetes
from safecelery.lint.deploy.packages import package_reader, prefer_locked
from safecelery.lint.deploy.process import Surroundings, script_processes
from safecelery.lint.deploy.tree import LARGEST, Tree
from safecelery.lint.deploy.trusted import trusted_keys
from safecelery.lint.finding import Unread
from safecelery.policy.facts import UNKNOWN, DeployFacts, Unknown

__all__ = ["read"]

_MENTIONS = re.compile(rb"celery|flower", re.IGNORECASE)
_MAY_MENTION = re.compile(rb"celery|flower|worker|beat|scheduler", re.IGNORECASE)
"""Of YAML, which may name a script that starts Celery."""
_SHEBANG = re.compile(rb"#!.*\b(?:sh|bash|dash|ash|zsh|ksh|with-contenv)\b")
_NOT_DEPLOYED: Final = frozenset(
    {"node_modules", ".git", ".github", ".gitlab", ".circleci", "site-packages", ".venv", "venv", ".tox"}
)
_LARGEST_SCRIPT: Final = 200_000
_LARGEST_YAML: Final = 600_000

Reader = Callable[[str, str, Tree], Iterator[DeployFacts]]


def read(files: Iterable[tuple[str, str]]) -> Deployment:
    """Read what matters of these files, given as (path relative to the project with slashes, path to open).

    Files of other kinds are passed over by name. Nothing is run; a file that cannot be opened is in ``unread``.
    """
    tree = Tree(files)
    found = Deployment()
    repository = Repository(found.beside)
    scripts: list[str] = []
    dockerfiles: list[str] = []
    for relative in sorted(tree.absolute):
        parts = tree.inside(relative).split("/")
        if _NOT_DEPLOYED.intersection(parts[:-1]):
            continue
        name = parts[-1]
        if may_be_secret(relative):
            _secret(relative, tree, repository, found)
        packages = package_reader(relative)
        if packages is not None:
            if (text := tree.text(relative)) is not None:
                found.packages.extend(packages(relative, text))
        elif is_dockerfile(name):
            dockerfiles.append(relative)
        elif (reader := _reader(name)) is not None:
            if reader is read_compose or _mentions(relative, tree):  # a service may run an image that starts Celery
                found.processes.extend(reader(relative, tree.text(relative) or "", tree))
        elif _may_be_script(name):
            scripts.append(relative)
    for relative in dockerfiles:
        if relative not in tree.followed and (text := tree.text(relative)) is not None:
            found.processes.extend(read_dockerfile(relative, text, tree))
    for relative in scripts:
        if relative not in tree.followed and _is_script(relative, tree) and _mentions(relative, tree):
            found.processes.extend(_script(relative, tree))
    found.processes = _counted(found.processes)
    found.packages = sorted(
        set(prefer_locked(found.packages)), key=lambda fact: (fact.where.file, fact.where.line, fact.name)
    )
    found.unread.extend(
        Unread(relative, 0, f"cannot be read: {why}") for relative, why in sorted(tree.unreadable.items())
    )
    return found


def _reader(name: str) -> Reader | None:
    """By the file's name; every table of readers is this one."""
    lower = name.lower()
    if lower.endswith((".yml", ".yaml")):
        return read_compose if is_compose(name) else read_kubernetes
    if lower == "procfile" or lower.startswith("procfile."):
        return read_procfile
    if lower.endswith((".service", ".service.in", ".service.j2")):
        return read_systemd
    if lower.endswith((".conf", ".ini")):
        return read_supervisor
    return None


def _mentions(relative: str, tree: Tree) -> bool:
    """The file speaks of Celery or Flower at all: a test on bytes, before anything is parsed."""
    largest = _LARGEST_YAML if relative.endswith((".yml", ".yaml")) else LARGEST
    try:
        path = Path(tree.absolute[relative])
        if path.stat().st_size > largest:
            return False
        with path.open("rb") as file:
            return (_MAY_MENTION if largest == _LARGEST_YAML else _MENTIONS).search(file.read(largest)) is not None
    except (OSError, ValueError) as error:
        tree.unreadable[relative] = getattr(error, "strerror", None) or type(error).__name__
        return False


def _may_be_script(name: str) -> bool:
    return name.endswith((".sh", ".bash")) or "." not in name


def _is_script(relative: str, tree: Tree) -> bool:
    try:
        with Path(tree.absolute[relative]).open("rb") as file:
            head = file.read(200)
            size = file.seek(0, 2)
    except (OSError, ValueError):
        return False
    named = relative.endswith((".sh", ".bash"))
    return size <= _LARGEST_SCRIPT and (named or _SHEBANG.match(head) is not None)


def _script(relative: str, tree: Tree) -> Iterator[DeployFacts]:
    around = Surroundings(relative, "shell", tree, production=tree.production(relative), environment=Environment())
    return script_processes(tree.text(relative) or "", around)


def _secret(relative: str, tree: Tree, repository: Repository, found: Deployment) -> None:
    try:
        fact = read_secret(relative, tree.absolute[relative], repository, tree.inside(relative))
    except (OSError, ValueError) as error:
        tree.unreadable[relative] = getattr(error, "strerror", None) or type(error).__name__
        return
    if fact is None:
        return
    found.files.append(fact)
    if fact.kind == "trust-store" and not fact.example:
        found.trust.extend(trusted_keys(relative, tree.text(relative) or ""))


def _counted(processes: list[DeployFacts]) -> list[DeployFacts]:
    """With the number of beats of the same app that one deployment starts: one file, or one folder of manifests."""
    beats: dict[tuple[str, str], int | Unknown] = {}

    def key(fact: DeployFacts) -> tuple[str, str]:
        file = fact.where.file
        return (posixpath.dirname(file) if fact.source == "kubernetes" else file, str(fact.app))

    for fact in processes:
        if fact.role == "beat" or fact.embedded_beat is True:
            before = beats.get(key(fact), 0)
            if fact.source == "shell":  # branches of one script
                beats[key(fact)] = 1
                continue
            copies = 1 if fact.source in ("dockerfile", "procfile") else fact.replicas
            if fact.role == "worker" and fact.command.startswith("celery multi"):
                copies = 1  # --beat:NODE is for one of the nodes
            beats[key(fact)] = UNKNOWN if before is UNKNOWN or copies is UNKNOWN else before + copies
    counted = [
        replace(fact, beats=beats[key(fact)]) if fact.role == "beat" or fact.embedded_beat is True else fact
        for fact in processes
    ]
    return sorted(counted, key=lambda fact: (fact.where.file, fact.where.line, fact.role))
