"""Finding the configuration file, and what it says, as written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from safecelery.deferred import dataclass
from safecelery.errors import LintError, did_you_mean
from safecelery.lint.config.keys import KEYS

__all__ = ["Stated", "find", "read"]

OWN: Final = "safecelery.toml"
PROJECT: Final = "pyproject.toml"


@dataclass(frozen=True, slots=True)
class Stated:
    """What one file states: by key, the value and the table it stands in."""

    file: Path
    values: Mapping[str, tuple[object, str]]


def find(start: Path) -> Stated | None:
    """What the nearest configuration says, from a directory upwards, as far as the repository (``.git``) reaches.

    A ``safecelery.toml`` with a table ``[lint]`` and a ``pyproject.toml`` with ``[tool.safecelery]`` configure the
    linter. A ``safecelery.toml`` without one belongs to the service alone, but the policy that it names is taken
    where nothing nearer to the linter names one: what CI checks is then what the service runs under.

    Raises LintError, naming file and key.
    """
    policy: tuple[object, str] | None = None
    for directory in _upwards(start):
        own, project = directory / OWN, directory / PROJECT
        service = _document(own) if own.is_file() else {}
        policy = policy or _policy_of(own, service)
        said = (
            _from_own(own, service),
            _from_project(project, _document(project)) if project.is_file() else None,
        )
        linting = [stated for stated in said if stated is not None]
        if len(linting) > 1:
            raise LintError(f"{own} and {project} both configure the linter: keep one of the two")
        if linting:
            return _with_policy(linting[0], policy)
    return None if policy is None else Stated(Path(policy[1]), {"policy": policy})


def read(file: Path) -> Stated:
    """What a file that was named says. Raises LintError if it cannot be read or says nothing about the linter."""
    document = _document(file)
    stated = _from_project(file, document) if file.name == PROJECT else _from_own(file, document)
    if stated is None:
        table = "[tool.safecelery]" if file.name == PROJECT else "[lint]"
        raise LintError(f"{file}: nothing here configures the linter: there is no table {table}")
    return stated if file.name == PROJECT else _with_policy(stated, _policy_of(file, document))


def _upwards(start: Path) -> Iterator[Path]:
    for directory in (start, *start.parents):
        yield directory
        if (directory / ".git").exists():
            return


def _document(file: Path) -> Mapping[str, object]:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise LintError(f"{file}: cannot be read: {error.strerror or error}") from None
    if file.name == PROJECT and b"safecelery" not in raw:
        return {}  # by far the most frequent: a file for other tools, whatever is in it
    import tomllib  # not needed where there is no configuration

    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise LintError(f"{file}: not TOML: {error}") from None


def _policy_of(own: Path, service: Mapping[str, object]) -> tuple[object, str] | None:
    """The policy that the service itself runs under, and the file that says so."""
    name = service.get("policy")
    if not isinstance(name, str):
        return None  # what else is wrong there, the service says at its start
    return (str(own.parent / name) if name.endswith(".toml") else name), str(own)


def _with_policy(stated: Stated, policy: tuple[object, str] | None) -> Stated:
    if policy is None or "policy" in stated.values:
        return stated
    return Stated(stated.file, {**stated.values, "policy": policy})


def _from_own(file: Path, top: Mapping[str, object]) -> Stated | None:
    return Stated(file, _keys(file, "lint", top["lint"])) if "lint" in top else None


def _from_project(file: Path, top: Mapping[str, object]) -> Stated | None:
    tool = top.get("tool")
    if not isinstance(tool, Mapping) or "safecelery" not in tool:
        return None
    outer = tool["safecelery"]
    if not isinstance(outer, Mapping):
        raise LintError(f"{file}: tool.safecelery: must be a table")
    inner = _keys(file, "tool.safecelery.lint", outer.get("lint", {}))
    values = _keys(file, "tool.safecelery", {key: value for key, value in outer.items() if key != "lint"}, ("lint",))
    for key in inner:
        if key in values:
            raise LintError(f"{file}: {key}: stated in [tool.safecelery] and in [tool.safecelery.lint]: keep one")
    return Stated(file, {**values, **inner})


def _keys(file: Path, table: str, found: object, more: tuple[str, ...] = ()) -> dict[str, tuple[object, str]]:
    if not isinstance(found, Mapping):
        raise LintError(f"{file}: {table}: must be a table")
    for key in found:
        if key not in KEYS:
            raise LintError(f"{file}: {table}.{key}: unknown key{did_you_mean(key, (*KEYS, *more))}")
    return {key: (value, f"[{table}]") for key, value in found.items()}
