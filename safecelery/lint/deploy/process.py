"""From a command line and what surrounds it to the facts about one process."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import field, replace
from typing import Literal

from safecelery.deferred import dataclass
from safecelery.lint.deploy.command import Invocation, find, runs_as
from safecelery.lint.deploy.environment import Environment, known
from safecelery.lint.deploy.secrets import (
    credentials_in_command,
    credentials_in_environment,
    masked,
    plain_text_urls,
)
from safecelery.lint.deploy.shell import Word, commands
from safecelery.lint.deploy.tree import Tree
from safecelery.policy.facts import ABSENT, UNKNOWN, Absent, DeployFacts, Place, Stated, Tri, Unknown

__all__ = ["Surroundings", "is_root", "processes", "script_processes"]

_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh", "su", "runuser"})
_FLOWER_AUTH = frozenset({"basic-auth", "auth", "auth-provider", "oauth2-key"})
_TRUE = frozenset({"1", "true", "yes", "on"})
_DEEPEST = 4


@dataclass(slots=True)
class Surroundings:
    """What a deployment file says around the command. The defaults say: this kind of file does not say it."""

    file: str
    source: str
    tree: Tree
    production: Tri = UNKNOWN
    environment: Environment = field(default_factory=Environment)
    root: Tri | Absent = ABSENT
    health_check: Tri | Absent = ABSENT
    restarts: Tri | Absent = ABSENT
    overlaps: Tri | Absent = ABSENT
    replicas: int | Unknown = UNKNOWN
    stop_grace_s: Stated = ABSENT
    published: tuple[str, ...] | Unknown = ()
    local_hosts: frozenset[str] = frozenset()
    """Hosts on the same machine or its private network: the services of one Compose file."""


def is_root(user: str) -> Tri:
    """Whether a user's name or number (``app``, ``1000:1000``) is the superuser."""
    name = user.strip().partition(":")[0]
    if not known(name) or not name or name.startswith(("$", "{")):
        return UNKNOWN
    return name in ("root", "0")


def processes(words: Sequence[Word], line: int, around: Surroundings, depth: int = 0) -> Iterator[DeployFacts]:
    """The Celery processes that this command line starts, scripts of the tree and ``sh -c`` followed."""
    if any(name.startswith("AIRFLOW_") for name in around.environment.values):
        return  # Airflow's own worker, with options of its own
    found = find(words)
    if found is not None:
        yield _facts(found, line, around)
        return
    if depth >= _DEEPEST:
        return
    for number, word in enumerate(words):
        base = word.text.rsplit("/", 1)[-1]
        if base in _SHELLS:
            for place in range(number + 1, min(number + 6, len(words))):
                option = words[place].text
                if option.startswith("-") and not option.startswith("--") and option.endswith("c"):
                    if place + 1 < len(words) and "celery" in words[place + 1].text.lower():
                        switched = runs_as(words[: number + 1])
                        if base in ("su", "runuser"):
                            switched = next(
                                (
                                    w.text
                                    for w in words[number + 1 :]
                                    if not w.text.startswith("-") and w is not words[place + 1]
                                ),
                                switched,
                            )
                        inner = around.environment.child()
                        before = set(around.environment.taken)
                        for command in commands(words[place + 1].text, inner):
                            inner.taken = before | command.taken
                            yield from processes(
                                _as_user(command.words, switched), line, _with(around, inner), depth + 1
                            )
                            inner.taken = set()
                        return
                    break
    for word in words[:8]:
        text = word.text
        if "/" not in text and not text.endswith(".sh"):
            continue
        if (script := around.tree.script(text, around.file)) is not None:
            relative, source = script
            around.tree.followed.add(relative)
            inner = around.environment.child()
            for command in commands(source, inner):
                inner.taken = set(command.taken)
                yield from processes(command.words, line, _with(around, inner), depth + 1)
                inner.taken = set()
            return


def script_processes(text: str, around: Surroundings) -> Iterator[DeployFacts]:
    """The Celery processes that a shell script starts."""
    for command in commands(text, around.environment):
        around.environment.taken = set(command.taken)
        yield from processes(command.words, command.line, around, depth=1)
        around.environment.taken = set()


def _as_user(words: tuple[Word, ...], user: str | None) -> tuple[Word, ...]:
    return words if user is None else (Word("gosu"), Word(user), *words)


def _with(around: Surroundings, environment: Environment) -> Surroundings:
    return replace(around, environment=environment)  # the text's own variables


def _number(text: str) -> Stated:
    """A number as the command line would read it; other text as it is."""
    if not known(text):
        return UNKNOWN
    try:
        return int(text) if len(text) < 100 else text
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text


class _Said:
    """What a command line and its environment say of an option."""

    def __init__(self, found: Invocation, environment: Environment) -> None:
        self.found = found
        self.environment = environment
        self.worker = found.command in ("worker", "multi")

    def text(self, option: str, absent: Stated = ABSENT) -> Stated:
        value = self.found.values.get(option)
        if value is None and self.found.command != "flower":
            # click's auto_envvar_prefix="CELERY" (celery/bin/celery.py, main): CELERY_WORKER_POOL
            variable = f"CELERY_{'WORKER' if self.worker else 'BEAT'}_{option.replace('-', '_').upper()}"
            value = self.environment.values.get(variable)
        if value is None:
            return absent
        return value if known(value) else UNKNOWN

    def number(self, option: str, setting: str = "", absent: Stated = ABSENT) -> Stated:
        value = self.text(option, absent)
        if value is absent and setting in self.found.settings:
            value = self.found.settings[setting]
        return _number(value) if isinstance(value, str) else value


def _facts(found: Invocation, line: int, around: Surroundings) -> DeployFacts:
    environment = around.environment
    said = _Said(found, environment)
    text, number, worker = said.text, said.number, said.worker
    # A variable that may hold any options is taken to hold none, but for those that decide whether limits are enforced
    # and which queues are read.
    hidden: Stated = UNKNOWN if found.opaque else ABSENT
    role: Literal["worker", "beat", "flower", "broker", "other"] = (
        "worker" if worker else "beat" if found.command == "beat" else "flower"
    )
    own = [word.text for word in found.words[found.start :]]
    urls = [(f"--{name}", value) for name, value in found.values.items()]
    return DeployFacts(
        role=role,
        where=Place(around.file, line),
        command=masked(" ".join(own)),
        source=around.source,
        production=around.production,
        app=text("app"),
        pool=text("pool", hidden),
        concurrency=number("concurrency"),
        autoscale=text("autoscale"),
        time_limit=number("time-limit", "task_time_limit", hidden),
        soft_time_limit=number("soft-time-limit", "task_soft_time_limit", hidden),
        prefetch_multiplier=number("prefetch-multiplier"),
        max_tasks_per_child=number("max-tasks-per-child", "worker_max_tasks_per_child"),
        max_memory_per_child=number("max-memory-per-child", "worker_max_memory_per_child"),
        statedb=text("statedb"),
        schedule_file=text("schedule-filename" if worker else "schedule"),
        scheduler=text("scheduler"),
        loglevel=text("loglevel"),
        pidfile=text("pidfile"),
        embedded_beat=worker and "beat" in found.flags,
        queues=_queues(text("queues", hidden)),  # else every route to a queue would lead nowhere
        options=tuple(dict.fromkeys(found.written)),
        unknown_options=tuple(dict.fromkeys(found.unknown)),
        stray_words=tuple(found.stray),
        environment=tuple(sorted(environment.taken)),
        authenticated=_authenticated(found, around) if role == "flower" else UNKNOWN,
        open_api=environment.values.get("FLOWER_UNAUTHENTICATED_API", "").lower() in _TRUE,
        published=() if _on_loopback(found, environment) else around.published,
        secrets_in_command=credentials_in_command(own),
        secrets_in_environment=credentials_in_environment(environment.values),
        plain_urls=plain_text_urls([*environment.values.items(), *urls], around.local_hosts),
        root=_root(found, around),
        forces_root=_forces_root(environment),
        health_check=around.health_check,
        replicas=_replicas(found, around),
        overlaps=around.overlaps,
        restarts=around.restarts,
        stop_grace_s=around.stop_grace_s,
    )


def _queues(text: Stated) -> tuple[str, ...] | Unknown | Absent:
    if isinstance(text, str):
        return tuple(text.split(","))
    return ABSENT if text is ABSENT else UNKNOWN


def _replicas(found: Invocation, around: Surroundings) -> int | Unknown:
    """How many workers this starts: ``celery multi`` names or counts its nodes."""
    if found.command != "multi" or not found.nodes or not all(known(node) for node in found.nodes):
        return around.replicas
    first = found.nodes[0]
    return min(int(first[:6]), 10_000) if len(found.nodes) == 1 and first.isdigit() else len(found.nodes)


def _on_loopback(found: Invocation, environment: Environment) -> bool:
    address = found.values.get("address") or environment.values.get("FLOWER_ADDRESS", "")
    return found.command == "flower" and (address.startswith("127.") or address in ("localhost", "::1"))


def _authenticated(found: Invocation, around: Surroundings) -> Tri:
    """Flower asks for a password or a login (flower/views/auth.py; options or FLOWER_... variables or its file)."""
    for option in _FLOWER_AUTH:
        variable = f"FLOWER_{option.replace('-', '_').upper()}"
        value = found.values.get(option, around.environment.values.get(variable))
        if value:
            return True if value != "true" else UNKNOWN
    configuration = found.values.get("conf", "flowerconfig.py")
    said = around.tree.flower_configuration(configuration, around.file)
    if said is not None:
        return True if said else (UNKNOWN if found.opaque else False)
    if "conf" in found.values or found.opaque or not around.environment.complete:
        return UNKNOWN
    return False


def _root(found: Invocation, around: Surroundings) -> Tri | Absent:
    switched = runs_as(found.words[: found.start]) or found.values.get("uid")
    if switched:
        return is_root(switched)
    return around.root


def _forces_root(environment: Environment) -> Tri | Absent:
    value = environment.values.get("C_FORCE_ROOT")
    if value is None:
        return False
    # celery/platforms.py, check_privileges: any text that is not empty, "false" and "0" too.
    return bool(value) if known(value) else UNKNOWN
