"""Replays a guide on a real project: its patches are applied, its commands run, and what it shows has to appear.

The guide's code blocks are the source, by the words after the fence: ``diff`` is a patch; ``console`` is commands
(``$ ``) with what they print, ``...`` standing for anything; ``console NAME`` is one process that runs from there on,
in place of the last one of that name. What a section changes becomes a commit.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safecelery.testing.servers.process import ManagedProcess

__all__ = ["Block", "Replay", "Section", "read_guide"]

_FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_WAITS = re.compile(r"<!-- waits: (.+?) -->")
#: What a process of Celery writes to its log when it is ready.
_READY = {"worker": " ready.", "beat": "beat: Starting..."}


@dataclass(frozen=True, slots=True)
class Block:
    """One code block."""

    info: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """The beginning of the guide, or one of its steps."""

    title: str
    blocks: tuple[Block, ...]
    waits: str
    """What the project cannot do yet; empty if it can."""


def read_guide(path: Path) -> list[Section]:
    """The sections that have code to replay."""
    parts = re.split(r"^## ", path.read_text(), flags=re.MULTILINE)
    found = []
    for part in parts:
        blocks = tuple(Block(match["info"].strip(), match["text"]) for match in _FENCE.finditer(part))
        if blocks:
            waits = _WAITS.search(part)
            found.append(Section(part.splitlines()[0], blocks, waits[1] if waits else ""))
    return found


@dataclass(slots=True)
class Replay:
    """A copy of the project in a git repository of its own."""

    project: Path
    environment: Mapping[str, str]
    done: list[str] = field(default_factory=list)
    _running: dict[str, ManagedProcess] = field(default_factory=dict)
    _count: int = 0

    def run(self, section: Section) -> None:
        """Do what the section says, and commit it."""
        for block in section.blocks:
            match block.info.split():
                case ["diff"]:
                    self.shell("git apply --whitespace=nowarn -", given=block.text)
                case ["console"]:
                    for command, expected in _commands(block.text):
                        self._expect(section.title, command, expected)
                case ["console", name]:
                    ((command, _),) = _commands(block.text)
                    self.start(name, command)
                case _:
                    raise AssertionError(f"{section.title}: a block of an unknown kind: {block.info!r}")
        self.shell(f"git add -A && {{ git diff --cached --quiet || git commit -q -m '{section.title}'; }}")
        self.done.append(section.title)

    def start(self, name: str, command: str) -> None:
        """Start a process in place of the last one of that name, and wait until it is ready."""
        if (last := self._running.pop(name, None)) is not None:
            last.stop()
        log = self.project / f"{name}.log"
        log.unlink(missing_ok=True)
        self._count += 1
        process = ManagedProcess(
            name, ["/bin/sh", "-c", f"exec {command}"], log=self.project.parent / f"{name}-{self._count}.output",
            cwd=self.project, env=self.environment,
        )  # fmt: skip
        self._running[name] = process
        process.start(ready=lambda: log.exists() and _READY[name] in log.read_text(), deadline_s=60)

    def stop(self) -> None:
        """End what still runs."""
        while self._running:
            self._running.popitem()[1].stop()

    def shell(self, command: str, given: str = "") -> str:
        """Run a command as a person in the project's directory; what it printed."""
        done = subprocess.run(
            ["/bin/sh", "-c", command], cwd=self.project, env={**os.environ, **self.environment}, input=given,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"$ {command}\n{done.stdout}\nexit status {done.returncode}"
        return done.stdout

    def _expect(self, title: str, command: str, expected: list[str]) -> None:
        said = self.shell(command)
        lines = [".*\n" if line != "..." else "(?:.*\n)*" for line in expected]
        for place, line in enumerate(expected):
            if line != "...":
                lines[place] = re.escape(line).replace(re.escape("..."), ".*") + "[ ]*\n"
        assert re.fullmatch("".join(lines), said), f"{title}\n$ {command}\n{said}\nthe guide says:\n" + "\n".join(
            expected
        )


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Each command with the lines that are shown below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, *shown = part.splitlines()
        yield command, shown
