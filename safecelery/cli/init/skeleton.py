"""The skeleton's files: what each is made of and where it goes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

__all__ = ["FILES", "write_skeleton"]

#: Template -> path in the new directory; ``{name}`` is the service's name.
FILES: Mapping[str, str] = {
    "package.py.tmpl": "{name}/__init__.py",
    "app.py.tmpl": "{name}/app.py",
    "tasks.py.tmpl": "{name}/tasks.py",
    "safecelery.toml.tmpl": "safecelery.toml",
    "policy.toml.tmpl": "policy.toml",
    "trust.toml.tmpl": "trust.toml",
    "README.md.tmpl": "README.md",
    "gitignore.tmpl": ".gitignore",
}


def write_skeleton(directory: Path, name: str, **values: str) -> list[Path]:
    """Write every file, none over an existing one, and return their paths.

    Raises:
        FileExistsError: somebody put a file there in the meantime.
    """
    home = files("safecelery.cli.init") / "skeleton"
    written = []
    for template, place in FILES.items():
        text = Template((home / template).read_text(encoding="utf-8")).substitute(name=name, **values)
        path = directory / place.format(name=name)
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text.rstrip("\n") + "\n")
            # A umask of 002 lets the group write, and a trust file that others may write is not believed.
            os.fchmod(file.fileno(), os.fstat(file.fileno()).st_mode & ~0o022)
        written.append(path)
    return written
