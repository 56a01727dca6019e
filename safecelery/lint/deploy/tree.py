"""The files of a tree, and how one deployment file finds another: the Dockerfile it builds, the script it runs."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from safecelery.policy.facts import UNKNOWN, Tri

if TYPE_CHECKING:
    from safecelery.lint.deploy.yaml import Map

__all__ = ["LARGEST", "Tree"]

LARGEST: Final = 4_000_000
"""Bytes of one file that are read; lock files of large projects reach two million."""

_DEVELOPMENT = frozenset(
    {"dev", "devel", "develop", "development", "local", "localdev", "test", "tests", "testing", "unittest", "unittests"}
    | {"unit", "ci", "cicd", "e2e", "debug", "demo", "vscode", "devcontainer", "cypress", "playwright", "integration"}
)
_SHEBANG = re.compile(r"#!.*\b(?:sh|bash|dash|ash|zsh|ksh|with-contenv|execlineb)\b")
_FLOWER_AUTH = re.compile(
    r"^\s*(?:basic_auth|auth|auth_provider|oauth2_key)\s*=\s*(?!None\b|\[\]|''|\"\")\S", re.MULTILINE
)


class Tree:
    """The files that were handed in, by relative path."""

    def __init__(self, files: Iterable[tuple[str, str]]) -> None:
        self.absolute: dict[str, str] = {}
        self.by_name: dict[str, list[str]] = {}
        self.followed: set[str] = set()
        """Scripts that some deployment file runs: they need not be read for themselves."""
        self.unreadable: dict[str, str] = {}
        self.compose: dict[str, Map | None] = {}
        """The services of main Compose files that others build upon; only read."""
        self._texts: dict[str, str | None] = {}
        for relative, absolute in files:
            relative = relative.replace("\\", "/")
            self.absolute[relative] = absolute
            self.by_name.setdefault(posixpath.basename(relative), []).append(relative)
        outside = {posixpath.dirname(name) for name in self.absolute if name.startswith(("/", "../"))}
        self._base = posixpath.commonprefix([f"{folder}/" for folder in outside]).rpartition("/")[0]

    def inside(self, relative: str) -> str:
        """The path within the project: where its files lie on this machine (``/home/test/...``) says nothing."""
        return relative[len(self._base) + 1 :] if relative.startswith(("/", "../")) else relative

    def production(self, relative: str) -> Tri:
        """False if the name or a directory of the file says development or tests."""
        words = re.split(r"[^a-z0-9]+", self.inside(relative).lower())
        return False if _DEVELOPMENT.intersection(words) else UNKNOWN

    def text(self, relative: str) -> str | None:
        """The text of a file; None if it cannot be read (noted in ``unreadable``)."""
        if relative not in self._texts:
            try:
                with Path(self.absolute[relative]).open("rb") as file:
                    self._texts[relative] = file.read(LARGEST).decode("utf-8", "replace").lstrip("\ufeff")
            except (OSError, KeyError, ValueError) as error:
                self._texts[relative] = None
                self.unreadable[relative] = getattr(error, "strerror", None) or type(error).__name__
        return self._texts[relative]

    def resolve(self, path: str, near: str) -> str | None:
        """The file that a path in a container or relative to ``near`` most likely is: the longest common ending wins,
        then nearness, then the shorter path. None where two are equally likely."""
        if "\0" in path or len(path) > 500:
            return None
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(near), path.lstrip("/")))
        if not path.startswith("/") and beside in self.absolute:
            return beside
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        if not parts:
            return None
        candidates = self.by_name.get(parts[-1], [])
        ranked = sorted(
            ((_common(parts, name), _nearness(name, near), -name.count("/"), name) for name in candidates), reverse=True
        )
        if not ranked or (len(ranked) > 1 and ranked[0][:3] == ranked[1][:3]):
            return None
        return ranked[0][3]

    def script(self, path: str, near: str) -> tuple[str, str] | None:
        """The shell script that a command runs, with its text, if it is in the tree and speaks of Celery."""
        found = self.resolve(path, near)
        if found is None or found == near or found.endswith((".py", ".yml", ".yaml", ".json", ".js", ".md")):
            return None
        text = self.text(found)
        if text is None or ("celery" not in text and "flower" not in text):
            return None
        return (found, text) if found.endswith((".sh", ".bash")) or _SHEBANG.match(text) else None

    def flower_configuration(self, path: str, near: str) -> bool | None:
        """Whether that configuration file of Flower asks for a login; None if it is not in the tree."""
        found = self.resolve(path.replace("\0", ""), near)
        text = self.text(found) if found is not None and found.endswith(".py") else None
        return None if text is None else bool(_FLOWER_AUTH.search(text))


def _common(parts: list[str], name: str) -> int:
    count = 0
    for left, right in zip(reversed(parts), reversed(name.split("/")), strict=False):
        if left != right:
            break
        count += 1
    return count


def _nearness(name: str, near: str) -> int:
    """How many leading directories two paths share."""
    count = 0
    for left, right in zip(name.split("/")[:-1], near.split("/")[:-1], strict=False):
        if left != right:
            break
        count += 1
    return count
