"""Rule pages about deployment files, cut into cases of files; and what the readers say of a case."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from safecelery.lint.deploy import Deployment, read
from safecelery.policy.facts import DeployFacts, FileFacts, PackageFacts, Place

BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECTION = re.compile(r"^## (.+?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)

DeployedFacts = DeployFacts | PackageFacts | FileFacts


@dataclass(frozen=True)
class Case:
    """One or several files that belong together, or the fields of one facts object."""

    files: tuple[tuple[str, str], ...]
    facts: str = ""


def deployment_of(files: dict[str, str | bytes], root: Path) -> Deployment:
    """What the readers say of these files, written below ``root``."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return read((name, str(root / name)) for name in files)


def cases_of(page: str, section: str) -> list[Case]:
    """The cases of ``## Bad`` or ``## Good``; a trailing ``+`` joins a block with the next."""
    cases: list[Case] = []
    joined: list[tuple[str, str]] = []
    for info, text in BLOCK.findall(dict(SECTION.findall(page))[section]):
        if info == "toml facts":
            cases.append(Case((), text))
            continue
        words = info.split()
        joined.append((words[1], text))
        if words[-1] != "+":
            cases.append(Case(tuple(joined)))
            joined = []
    return cases


def facts_of(case: Case, root: Path) -> list[DeployedFacts]:
    """Every fact of the case."""
    if case.facts:
        table = tomllib.loads(case.facts)
        assert table.pop("subject") == "file"
        return [FileFacts(where=Place("keys/worker.pem"), **table)]
    found = deployment_of(dict(case.files), root)
    assert not found.unread
    return [*found.processes, *found.packages, *found.files]
