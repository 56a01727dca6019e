"""Dockerfiles: what the image starts, as whom, and whether it checks its health (Dockerfile reference)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field
from functools import lru_cache
from typing import Final

from safecelery.deferred import dataclass
from safecelery.lint.deploy.environment import HOLE, Environment, interpolate
from safecelery.lint.deploy.process import Surroundings, is_root, processes
from safecelery.lint.deploy.shell import Word, split
from safecelery.lint.deploy.tree import Tree
from safecelery.policy.facts import UNKNOWN, DeployFacts, Tri

__all__ = ["Image", "image_of", "is_dockerfile", "read_dockerfile"]

_ROOT_BASES = frozenset(
    "python debian ubuntu alpine node buildpack-deps fedora centos rockylinux almalinux amazonlinux scratch".split()  # noqa: SIM905
)
"""Official images whose user is root."""
_DROPS = re.compile(r"\b(?:gosu|su-exec|setpriv|s6-setuidgid|chpst|runuser|setuidgid)\b")
_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)(?:\s+(.*))?$", re.DOTALL)
_KEPT: Final = frozenset({"USER", "HEALTHCHECK", "ENV", "CMD", "ENTRYPOINT"})
"""Instructions that change what is known of an image."""
_HEREDOC = re.compile(r"<<-?[\"']?(\w+)[\"']?")


@dataclass(slots=True)
class Image:
    """What an image is, as far as its Dockerfile says."""

    root: Tri = UNKNOWN
    health_check: Tri = UNKNOWN
    environment: dict[str, str] = field(default_factory=dict)
    entrypoint: tuple[Word, ...] = ()
    command: tuple[Word, ...] = ()
    line: int = 0
    name: str = ""
    file: str = ""


def is_dockerfile(name: str) -> bool:
    """``Dockerfile``, ``Dockerfile.worker``, ``worker.Dockerfile``, ``Containerfile``."""
    lower = name.lower()
    return lower.startswith(("dockerfile", "containerfile")) or lower.endswith((".dockerfile", ".containerfile"))


def read_dockerfile(relative: str, text: str, tree: Tree) -> Iterator[DeployFacts]:
    """The Celery process the last stage starts."""
    image = image_of(relative, text)
    if image is None or not (image.entrypoint or image.command):
        return
    around = Surroundings(
        relative,
        "dockerfile",
        tree,
        production=tree.production(relative),
        environment=Environment(dict(image.environment)),
        root=drops_root(image, tree),
        health_check=image.health_check,
    )
    yield from processes((*image.entrypoint, *image.command), image.line, around)


def drops_root(image: Image, tree: Tree) -> Tri:
    """``image.root``, or UNKNOWN if its entrypoint is a script that may switch the user."""
    if image.root is not True:
        return image.root
    for word in image.entrypoint:
        found = tree.resolve(word.text, image.file) if "/" in word.text or "." in word.text else None
        text = tree.text(found) if found is not None else None
        if text is not None and _DROPS.search(text):
            return UNKNOWN
        if found is None and word.text.startswith("/") and word.text.endswith(".sh"):
            return UNKNOWN
    return True


@lru_cache(maxsize=256)
def image_of(relative: str, text: str, target: str = "") -> Image | None:
    """The image of a stage, the last one by default. None if there is no such stage.

    Remembered, so not to be changed: each service of a Compose file that is built from a Dockerfile asks twice.
    """
    stages: dict[str, Image] = {}
    image: Image | None = None
    arguments = Environment()
    for keyword, rest, line in _instructions(text):
        if keyword == "FROM":
            if image is not None and target and image.name == target:
                return image
            words = [word for word in interpolate(rest, arguments).split() if not word.startswith("--")]
            base = words[0] if words else HOLE
            name = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else ""
            image = _from(stages.get(base.lower()), base)
            image.name, image.file, image.line = name, relative, line
            if name:
                stages[name] = image
        elif keyword == "ARG":
            name, equals, value = rest.strip().partition("=")
            if equals:
                arguments.values.setdefault(name.strip(), interpolate(value.strip("\"' "), arguments))
        elif image is not None:
            _apply(image, keyword, rest, line, arguments)
    if image is None or (target and image.name != target.lower()):
        return None
    return image


def _from(parent: Image | None, base: str) -> Image:
    if parent is not None:
        return Image(parent.root, parent.health_check, dict(parent.environment), parent.entrypoint, parent.command)
    official = "/" not in base and base.partition(":")[0].partition("@")[0].lower() in _ROOT_BASES
    if "airflow" in base.lower():  # Airflow's images set it, and its "celery worker" is a command of its own
        return Image(environment={"AIRFLOW_HOME": HOLE})
    return Image(True, False) if official else Image()


def _apply(image: Image, keyword: str, rest: str, line: int, arguments: Environment) -> None:
    if keyword not in _KEPT:
        return
    known = Environment({**arguments.values, **image.environment})
    if keyword == "USER":
        image.root = is_root(interpolate(rest, known))
    elif keyword == "HEALTHCHECK":
        image.health_check = rest.strip().upper() != "NONE"
    elif keyword == "ENV":
        image.environment |= _pairs(rest, known)
    elif keyword in ("CMD", "ENTRYPOINT"):
        words = _command(rest)
        if keyword == "CMD":
            image.command = words
        else:
            image.entrypoint, image.command = words, ()
        image.line = line


def _pairs(rest: str, known: Environment) -> dict[str, str]:
    words = [word.text for word in split(rest)]
    if words and "=" not in words[0]:
        return {words[0]: interpolate(" ".join(words[1:]), known)}
    return {name: interpolate(value, known) for name, equals, value in (w.partition("=") for w in words) if equals}


def _command(rest: str) -> tuple[Word, ...]:
    """The exec form is a JSON list; anything else goes to ``/bin/sh -c``."""
    rest = rest.strip()
    if rest.startswith("["):
        import json  # only for the exec form

        try:
            listed = json.loads(rest)
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list) and all(isinstance(item, str) for item in listed):
            return tuple(Word(item) for item in listed)
    return (Word("/bin/sh"), Word("-c"), Word(rest)) if rest else ()


def _instructions(text: str) -> Iterator[tuple[str, str, int]]:
    """Keyword in capitals, the rest with continuation lines joined, the line it starts on."""
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        start = at
        current = lines[at]
        at += 1
        if not current.strip() or current.lstrip().startswith("#"):
            continue
        parts = []
        while current.rstrip().endswith(("\\", "`")) and at < len(lines):
            parts.append(current.rstrip()[:-1])
            while at < len(lines) and lines[at].lstrip().startswith("#"):
                at += 1
            current = lines[at] if at < len(lines) else ""
            at += 1
        parts.append(current)
        match = _INSTRUCTION.match(" ".join(parts))
        if match is None:
            continue
        keyword, rest = match.group(1).upper(), match.group(2) or ""
        if keyword in ("RUN", "COPY", "ADD"):
            for delimiter in _HEREDOC.findall(rest):
                while at < len(lines) and lines[at].strip() != delimiter:
                    at += 1
                at += 1
        yield keyword, rest, start + 1
