"""systemd units (systemd.service(5)), supervisor's configuration and Procfiles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from safecelery.lint.deploy.duration import seconds
from safecelery.lint.deploy.environment import HOLE, Environment
from safecelery.lint.deploy.process import Surroundings, is_root, processes
from safecelery.lint.deploy.sections import Section, sections
from safecelery.lint.deploy.shell import Word, commands, split
from safecelery.lint.deploy.tree import Tree
from safecelery.policy.facts import UNKNOWN, DeployFacts, Tri

__all__ = ["read_procfile", "read_supervisor", "read_systemd"]

_SYSTEMD_STOP_S: Final = 90
"""systemd-system.conf(5), ``DefaultTimeoutStopSec``."""
_SUPERVISOR_STOP_S: Final = 10
"""Supervisor, ``stopwaitsecs``."""
_PROCESS = re.compile(r"([A-Za-z0-9_.-]+)\s*:\s*(\S.*)$")
_FROM_ENVIRONMENT = re.compile(r"%\((?:ENV_)?[A-Za-z_]\w*\)[sd]")
_FALSE = frozenset({"no", "false", "off", "0"})


def read_systemd(relative: str, text: str, tree: Tree) -> Iterator[DeployFacts]:
    """What ``ExecStart`` starts."""
    for section in sections(text, inline_comments=False):
        if section.name != "Service":
            continue
        environment = _systemd_environment(section, relative, tree)
        user = section.last("User")
        root: Tri = True if not user else is_root(user.replace("%i", HOLE).replace("%I", HOLE))
        if (section.last("DynamicUser") or "").lower() in ("yes", "true", "1", "on"):
            root = False
        restart = (section.last("Restart") or "no").lower()
        stop = section.last("TimeoutStopSec") or section.last("TimeoutSec")
        around = Surroundings(
            relative,
            "systemd",
            tree,
            production=tree.production(relative),
            environment=environment,
            root=root,
            restarts=restart not in ("no", "on-success"),
            replicas=UNKNOWN if "@." in relative else 1,
            stop_grace_s=_SYSTEMD_STOP_S if stop is None else seconds(stop),
        )
        for value, line in section.values.get("execstart", []):
            bare = value.lstrip("@-:+!")
            for command in commands(bare.replace("%%", "%"), environment):
                environment.taken = set(command.taken)
                yield from processes(command.words, line, around)
                environment.taken = set()


def _systemd_environment(section: Section, relative: str, tree: Tree) -> Environment:
    environment = Environment()
    for value, _ in section.values.get("environmentfile", []):
        found = tree.resolve(value.lstrip("-").strip("\"'"), relative)
        text = tree.text(found) if found is not None else None
        if text is None:
            environment.complete = False
            continue
        for _command in commands(text, environment):
            pass
    for value, _ in section.values.get("environment", []):
        for word in split(value):
            name, equals, text = word.text.partition("=")
            if equals:
                environment.values[name] = text
    return environment


def read_supervisor(relative: str, text: str, tree: Tree) -> Iterator[DeployFacts]:
    """What each ``[program:x]`` starts."""
    found = list(sections(text, inline_comments=True))
    daemon = next((section for section in found if section.name == "supervisord"), None)
    above = daemon.last("user") if daemon is not None else None
    for section in found:
        command = section.last("command")
        if not section.name.startswith("program:") or command is None:
            continue
        user = section.last("user") or above
        environment = Environment()
        for holder in (daemon, section):
            for word in split((holder.last("environment") or "").replace(",", " ")) if holder is not None else ():
                name, equals, value = word.text.partition("=")
                if equals:
                    environment.values[name] = _FROM_ENVIRONMENT.sub(HOLE, value)
        processes_wanted = section.last("numprocs") or "1"
        around = Surroundings(
            relative,
            "supervisor",
            tree,
            production=tree.production(relative),
            environment=environment,
            root=is_root(user) if user else UNKNOWN,
            restarts=(section.last("autorestart") or "unexpected").lower() not in _FALSE,
            replicas=int(processes_wanted) if processes_wanted.isdecimal() and len(processes_wanted) < 6 else UNKNOWN,
            stop_grace_s=seconds(section.last("stopwaitsecs") or str(_SUPERVISOR_STOP_S)),
        )
        line = _FROM_ENVIRONMENT.sub(HOLE, command).replace("%%", "%")
        words = tuple(Word(HOLE, many=True) if word.text == HOLE else word for word in split(line))
        yield from processes(words, section.line_of("command"), around)


def read_procfile(relative: str, text: str, tree: Tree) -> Iterator[DeployFacts]:
    """``worker: celery -A shop worker``; the commands go through a shell."""
    for number, line in enumerate(text.splitlines(), start=1):
        match = _PROCESS.match(line)
        if match is None:
            continue
        environment = Environment()
        around = Surroundings(relative, "procfile", tree, production=tree.production(relative), environment=environment)
        for command in commands(match.group(2), environment):
            environment.taken = set(command.taken)
            yield from processes(command.words, number, around)
            environment.taken = set()
