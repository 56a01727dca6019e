"""The effective configuration of one run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from safecelery.deferred import dataclass
from safecelery.lint.config.patterns import matches, matches_any
from safecelery.lint.config.selectors import codes_of_all

if TYPE_CHECKING:
    from safecelery.policy.profile import Policy

__all__ = ["DEFAULT", "OUTPUT_FORMATS", "LintConfig"]

OUTPUT_FORMATS: Final = (
    "full",
    "concise",
    "grouped",
    "json",
    "json-lines",
    "sarif",
    "github",
    "gitlab",
    "junit",
    "html",
)
DEFAULT: Final = "default"
"""The origin of a value that nobody stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LintConfig:
    """What one run of the linter goes by. Keys of the file are these names with dashes."""

    policy: str = "baseline"
    """A shipped policy by name, or the path of a TOML file."""
    select: tuple[str, ...] = ()
    """Only these rules; none named means every rule that the policy does not switch off."""
    extend_select: tuple[str, ...] = ()
    """These rules too, at level error where the policy switches them off."""
    ignore: tuple[str, ...] = ()
    """None of these rules; wins over both selections."""
    exclude: tuple[str, ...] = ()
    """Patterns of files and directories that are not looked at (safecelery/lint/config/patterns.py)."""
    include_tests: bool = False
    """Look at test code too."""
    per_file_ignores: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Pattern -> rules that do not apply there."""
    baseline: Path | None = None
    """The file of known findings."""
    cache: bool = True
    """Keep what was read for the next run, and use what the last one kept."""
    cache_dir: Path | None = None
    """Where what was read is kept; None: the linter chooses."""
    output_format: str = "full"
    settings: str | None = None
    """The dotted name of the settings module to assume where it cannot be told."""
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """What to assume of environment variables."""
    celery: tuple[int, ...] | None = None
    """The version of Celery to assume where it cannot be told: ``(5, 4)``."""
    fail_on_undecided: bool = False
    """Exit with 1 while a verdict is open (SFC002)."""
    jobs: int = 0
    """How many processes read files; 0: as many as the machine has processors, two at the most."""
    root: Path = field(default_factory=Path.cwd)
    """What patterns are relative to: the directory of the file, else where the run started."""
    source: str = "defaults"
    """The configuration file, or "defaults"."""
    origins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By key with dashes: where its value was stated. A key that is not here has its default."""

    def describe(self) -> str:
        """Every key with its effective value, as TOML, and after it where the value comes from."""
        return "\n".join(_described(self))

    def judged_by(self, policy: Policy) -> Policy:
        """The policy with the selections applied: what is not selected is off."""
        from safecelery.policy.document import Level
        from safecelery.policy.rules import BY_CODE

        chosen = codes_of_all(self.select) if self.select else frozenset(BY_CODE)
        extra = codes_of_all(self.extend_select)
        never = codes_of_all(self.ignore)
        levels = {}
        for code, level in policy.levels.items():
            if code in never or code not in chosen | extra:
                levels[code] = Level.OFF
            else:
                levels[code] = Level.ERROR if level is Level.OFF and code in extra else level
        return policy if levels == dict(policy.levels) else replace(policy, levels=levels)

    def excludes(self, path: str) -> bool:
        """Whether a file or directory, relative to ``root`` and with slashes, is not to be looked at."""
        return matches_any(self.exclude, path)

    def ignored_in(self, path: str) -> frozenset[str]:
        """The codes that do not apply in a file, relative to ``root`` and with slashes."""
        if not self.per_file_ignores:
            return frozenset()
        return frozenset().union(*(codes_of_all(s) for p, s in self.per_file_ignores if matches(p, path)))


_INTERNAL: Final = ("root", "source", "origins")


def _described(config: LintConfig) -> Iterator[str]:
    yield f"# configuration: {config.source}"
    for item in fields(config):
        if item.name in _INTERNAL:
            continue
        key = item.name.replace("_", "-")
        value = getattr(config, item.name)
        yield f"{key} = {_toml(value)}  # {config.origins.get(key, DEFAULT)}"


def _toml(value: object) -> str:
    if value is None:
        return '""'
    if isinstance(value, bool | int):
        return str(value).lower()
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_text(str(key))} = {_toml(part)}" for key, part in value.items())
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, tuple):
        if value and all(isinstance(part, int) for part in value):  # a version
            return _text(".".join(map(str, value)))
        if value and isinstance(value[0], tuple):
            return _toml(dict(value))
        return f"[{', '.join(map(_toml, value))}]"
    return _text(str(value))


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    shown = "".join(c if c.isprintable() else "\\U" + format(ord(c), "08x") for c in escaped)
    return f'"{shown}"'
