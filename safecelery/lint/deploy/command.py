"""Where in a command line Celery starts, and what it is told.

``dumb-init -- gosu app celery -A shop worker -P gevent -c 4`` and ``celery worker -A shop`` (the order of Celery 4),
``python -m celery``, ``manage.py celery worker``, ``celery multi start``, ``flower``: whatever stands before the word
``celery`` only launches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from safecelery.deferred import dataclass
from safecelery.lint.deploy.environment import HOLE, known
from safecelery.lint.deploy.options import COMMANDS, FLOWER, GLOBAL, Options
from safecelery.lint.deploy.shell import Word

__all__ = ["Invocation", "find", "runs_as"]


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NOT_STARTING = _set(
    """
    echo printf pip pip3 apt apt-get apk docker kubectl docker-compose podman pgrep pkill grep egrep which command test
    [ [[ rm ln chown chmod mkdir cp mv kill killall ps awk sed tail touch cat find cd source . wait install useradd
    adduser systemctl supervisorctl trap alias type hash for case log info warn error
    """
)
"""Commands whose arguments are no program to run here."""
_NOISE = _set("if then elif else do while until ! { time exec nohup command")
_FLOWER_LAUNCHERS = _set("exec nohup dumb-init tini -- python python3 -m run poetry uv pipenv")


@dataclass(slots=True)
class Invocation:
    """One run of a Celery command."""

    command: str
    """worker, beat, flower or multi."""
    values: dict[str, str] = field(default_factory=dict)
    """Options with a value by canonical name: ``time-limit``."""
    flags: set[str] = field(default_factory=set)
    written: list[str] = field(default_factory=list)
    """Every long option and what a short one stands for, in order: ``--pool``."""
    unknown: list[str] = field(default_factory=list)
    stray: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    """``worker_prefetch_multiplier=1`` behind the options (celery/loaders/base.py, ``cmdline_config_parser``)."""
    nodes: list[str] = field(default_factory=list)
    """Of ``celery multi``."""
    opaque: bool = False
    """Part of the line is a variable that may hold any options."""
    words: tuple[Word, ...] = ()
    """The whole line, launchers included."""
    start: int = 0
    """Where in ``words`` Celery begins."""


def _base(text: str) -> str:
    return text.rsplit("/", 1)[-1]


def find(words: Sequence[Word]) -> Invocation | None:
    """The Celery process this command line starts, if it is one that stays: a worker, a beat, Flower, multi."""
    first = next((word.text for word in words if word.text not in _NOISE), "")
    if _base(first) in _NOT_STARTING:
        return None
    for number, word in enumerate(words):
        base = _base(word.text)
        if base in ("celery", "celery.exe"):
            before = words[number - 1].text if number else ""
            if before in ("-A", "--app", "-n", "--name", "-c", "--chdir", "-u"):
                continue
            if _base(before) == "airflow":  # Airflow's own command, with options of its own
                return None
            found = _celery(words, number)
            if found is not None:
                return found
        elif base == "flower" and all(
            _base(before.text) in _FLOWER_LAUNCHERS or "=" in before.text for before in words[:number]
        ):
            return _options(Invocation("flower", words=tuple(words), start=number), words[number + 1 :], FLOWER)
    return None


def _celery(words: Sequence[Word], start: int) -> Invocation | None:
    """From the word ``celery``: global options, the sub-command, its options."""
    found = Invocation("", words=tuple(words), start=start)
    at = start + 1
    while at < len(words):
        text = words[at].text
        if words[at].many:
            found.opaque = True
            at += 1
        elif text.startswith("-"):
            at = _option(found, words, at, GLOBAL)
        else:
            break
    if at >= len(words) or words[at].text not in COMMANDS:
        return None
    found.command = words[at].text
    table = COMMANDS[found.command]
    rest = words[at + 1 :]
    if found.command == "multi":
        if not rest or rest[0].text not in ("start", "restart", "expand"):
            return None
        rest = rest[1:]
    return _options(found, rest, table)


def _options(found: Invocation, words: Sequence[Word], table: Options) -> Invocation:
    at = 0
    while at < len(words):
        word = words[at]
        text = word.text
        if word.many:
            found.opaque = True
        elif text == "--":
            pass
        elif text.startswith("-") and len(text) > 1:
            at = _option(found, words, at, table)
            continue
        elif found.command == "multi":
            found.nodes.append(text)
        elif text in ("&", ""):
            if text == "":
                found.stray.append(text)
        elif "=" in text and text.partition("=")[0].replace(".", "_").replace("_", "a").isalnum():
            name, _, value = text.partition("=")
            found.settings[name.lower().replace(".", "_")] = value
        elif not known(text):
            found.opaque = True
        else:
            found.stray.append(text)
        at += 1
    return found


def _option(found: Invocation, words: Sequence[Word], at: int, table: Options) -> int:
    """Take one option in; returns where the next word stands."""
    text = words[at].text
    if text.startswith("--"):
        name, equals, value = text.partition("=")
        spelling = _normal(name, table, found.command)
        if not known(name):
            found.opaque = True
            return at + 1
        canonical = _canonical(spelling, table)
        if canonical is None:
            found.unknown.append(name)
            return at + 1
        found.written.append(f"--{canonical}")
        if spelling in table.flags:
            found.flags.add(canonical)
            return at + 1
        if equals:
            found.values[canonical] = value
            return at + 1
        if table is FLOWER:  # tornado knows only --name=value and --name, which means true
            found.values[canonical] = "true"
            return at + 1
        return _value(found, words, at + 1, canonical)
    for number, letter in enumerate(text[1:], start=1):
        short = f"-{letter}"
        if letter == HOLE:
            found.opaque = True
            return at + 1
        canonical = _canonical(short, table)
        if canonical is None:
            found.unknown.append(short if number > 1 or len(text) == 2 else text)
            return at + 1
        found.written.append(f"--{canonical}")
        if short in table.flags:
            found.flags.add(canonical)
            if found.command == "multi" and text[number + 1 : number + 2] == ":":  # -B:w1
                return at + 1
            continue
        rest = text[number + 1 :]
        if found.command == "multi" and rest.startswith(":"):  # -c:1-3 5 is for the nodes 1 to 3
            return at + 2
        if rest:
            found.values[canonical] = rest.removeprefix("=") if rest.startswith("=") else rest
            return at + 1
        return _value(found, words, at + 1, canonical)
    return at + 1


def _value(found: Invocation, words: Sequence[Word], at: int, canonical: str) -> int:
    if at >= len(words):
        found.values[canonical] = ""
        return at
    found.values[canonical] = words[at].text
    return at + 1


def _normal(name: str, table: Options, command: str) -> str:
    if table is FLOWER:
        return name.replace("_", "-")
    return name.partition(":")[0] if command == "multi" else name


def _canonical(spelling: str, table: Options) -> str | None:
    """``-A`` and other global options are taken behind the sub-command too, as Celery 4 did and Flower still does."""
    return table.names.get(spelling) or GLOBAL.names.get(spelling)


_USER_SWITCHES = frozenset({"gosu", "su-exec", "s6-setuidgid", "setuidgid"})
_USER_OPTIONS = {"sudo": ("-u", "--user"), "runuser": ("-u", "--user"), "chpst": ("-u",), "setpriv": ("--reuid",)}


def runs_as(words: Sequence[Word]) -> str | None:
    """The user a launcher switches to: ``gosu app celery ...``; None if no launcher does. May hold a hole."""
    for number, word in enumerate(words):
        base = _base(word.text)
        if base in _USER_SWITCHES and number + 1 < len(words):
            return words[number + 1].text.partition(":")[0]
        if base in _USER_OPTIONS:
            wanted = _USER_OPTIONS[base]
            for place in range(number + 1, len(words)):
                text = words[place].text
                name, equals, value = text.partition("=")
                if name in wanted and (equals or place + 1 < len(words)):
                    return (value if equals else words[place + 1].text).partition(":")[0]
    return None
