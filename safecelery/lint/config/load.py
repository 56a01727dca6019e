"""From the paths and options of a command line to the effective configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from safecelery.errors import LintError, did_you_mean
from safecelery.lint.config.files import Stated, find, read
from safecelery.lint.config.keys import KEYS
from safecelery.lint.config.model import LintConfig

__all__ = ["load_config"]

_COMMAND_LINE = "command line"


def load_config(
    paths: Sequence[str | Path] = (),
    options: Mapping[str, object] | None = None,
    *,
    file: Path | None = None,
    isolated: bool = False,
) -> LintConfig:
    """The configuration for linting ``paths``.

    ``options`` are those of the command line, by key with dashes and with values as TOML would have them; each replaces
    what the file says, but ``environment``, which is added to it. ``file`` names the configuration file instead of
    looking for one from the first path upwards; ``isolated`` takes none at all.

    Raises LintError, naming file and key, for what cannot be read, is unknown or has the wrong type.
    """
    here = Path.cwd()
    if isolated:
        stated = None
    elif file is not None:
        stated = read(here / file)
    else:
        stated = find(_start(here, paths))
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    root = here if stated is None else stated.file.parent
    if stated is not None:
        for key, (value, table) in stated.values.items():
            values[key] = _value(_place(stated.file, table, key), key, value, root)
            origins[key] = f"{stated.file} {table}" if table[0] == "[" else table
    for key, value in (options or {}).items():
        if key not in KEYS:
            raise LintError(f"{_COMMAND_LINE}: {key}: unknown option{did_you_mean(key, KEYS)}")
        read_value = _value(f"--{key}", key, value, here)
        if key == "environment":
            read_value = MappingProxyType({**values.get(key, {}), **read_value})
        values[key] = read_value
        origins[key] = _COMMAND_LINE
    return LintConfig(
        **{key.replace("-", "_"): value for key, value in values.items()},
        root=root,
        source=_source(stated),
        origins=MappingProxyType(origins),
    )


def _source(stated: Stated | None) -> str:
    return "defaults" if stated is None else str(stated.file)


def _start(here: Path, paths: Sequence[str | Path]) -> Path:
    """The directory to look from: that of the first path, or the nearest above it that exists."""
    start = (here / (paths[0] if paths else ".")).resolve()
    while not start.is_dir():
        start = start.parent
    return start


def _place(file: Path, table: str, key: str) -> str:
    # The policy of the service comes with the name of its file instead of a table.
    return f"{file}: {table[1:-1]}.{key}" if table[0] == "[" else f"{table}: {key}"


def _value(place: str, key: str, value: object, base: Path) -> Any:
    try:
        return KEYS[key](value, base)
    except ValueError as error:
        given = f"; it is {_shown(value)}" if "must be" in str(error) else ""  # the others name it
        raise LintError(f"{place}: {error}{given}") from None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
