"""``pytest --safecelery[=PATHS]``: the linter as tests, one for each family of rules.

Without the option this module imports nothing and does nothing. The linter is configured where it always is,
``[tool.safecelery]`` in pyproject.toml. Families, not files, are the tests: their names stay the same while code moves,
so a required check and a test report can follow them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from safecelery.lint.config import LintConfig
    from safecelery.lint.finding import Finding, LintResult

__all__ = ["pytest_addoption", "pytest_collection_modifyitems", "pytest_configure"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Called by pytest."""
    parser.getgroup("safecelery").addoption(
        "--safecelery",
        action="append",
        nargs="?",
        const="",
        metavar="PATHS",
        help="Run the safecelery linter as tests; PATHS (with =, separated by commas) instead of the root directory.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Called by pytest."""
    config.addinivalue_line("markers", "safecelery: a family of rules of the safecelery linter (made by --safecelery)")


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Called by pytest."""
    given = config.getoption("safecelery")
    if given is None:
        return
    from safecelery.policy.families import FAMILIES

    paths = [part for text in given for part in text.split(",") if part]
    run = _Run(paths or [str(config.rootpath)])
    for family, title in FAMILIES.items():
        name = f"{family.value}xx-{title.lower().replace(' ', '-')}"
        items.append(LintItem.from_parent(session, name=name, run=run, digit=family.value))
    items.append(LintItem.from_parent(session, name="everything-read", run=run))


class _Run:
    """The linter's run, made when the first item needs it and kept for the others."""

    def __init__(self, paths: list[str]) -> None:
        self._paths = paths
        self._done: tuple[LintConfig, LintResult] | None = None

    def result(self) -> tuple[LintConfig, LintResult]:
        """Raises LintError if the configuration is wrong."""
        if self._done is None:
            from safecelery.lint import engine
            from safecelery.lint.config import load_config

            config = load_config(self._paths)
            self._done = (config, engine.lint(self._paths, config))
        return self._done


class Broken(Exception):
    """What an item shows instead of a traceback."""


class LintItem(pytest.Item):
    """The rules whose code begins with a digit, or (without one) that every file could be read."""

    def __init__(self, *, name: str, run: _Run, digit: str = "", **kwargs: Any) -> None:
        super().__init__(name, nodeid=f"safecelery::{name}", **kwargs)
        self._run = run
        self._digit = digit
        self.add_marker("safecelery")

    def runtest(self) -> None:
        """Raises Broken for what would make ``safecelery lint`` fail."""
        config, result = self._run.result()
        if not self._digit:
            if result.unread:
                raise Broken("\n".join(f"{item.path}:{item.line}: {item.message}" for item in result.unread))
            return
        broken = list(self._broken(result, config.fail_on_undecided))
        if broken:
            raise Broken("\n".join(map(_line, broken)))

    def _broken(self, result: LintResult, undecided: bool) -> Iterator[Finding]:
        from safecelery.policy.document import Level

        for item in (*result.findings, *(result.undecided if undecided else ())):
            if (item.rule or item.code)[3] == self._digit and item.level is Level.ERROR:
                yield item

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The concise report; a wrong configuration is a sentence, too."""
        from safecelery.errors import SafeCeleryError

        if isinstance(excinfo.value, Broken | SafeCeleryError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """What test reports call it."""
        return self.path, None, self.nodeid


def _line(item: Finding) -> str:
    return f"{item.path}:{item.line}: {item.code} {item.message}; {item.fix}"
