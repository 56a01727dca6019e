"""What the linter says, in every format: one file each, in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from safecelery.lint.finding import LintResult
from safecelery.lint.report.options import RenderOptions

__all__ = ["FORMATS", "RenderOptions", "load_format", "render"]

FORMATS: Final = {
    "full": "safecelery.lint.report.full:render",
    "concise": "safecelery.lint.report.concise:render",
    "grouped": "safecelery.lint.report.grouped:render",
    "json": "safecelery.lint.report.json_document:render",
    "json-lines": "safecelery.lint.report.json_lines:render",
    "sarif": "safecelery.lint.report.sarif:render",
    "github": "safecelery.lint.report.github:render",
    "gitlab": "safecelery.lint.report.gitlab:render",
    "junit": "safecelery.lint.report.junit:render",
    "html": "safecelery.lint.report.html_page:render",
}
"""Name of the format to "module:function", imported when it is asked for. The first one is the default."""


def render(name: str, result: LintResult, options: RenderOptions | None = None) -> Iterator[str]:
    """The report in pieces, secrets masked. Raises KeyError for a format that is not in :data:`FORMATS`.

    This is the one way to a format: it masks before the format sees anything.
    """
    from safecelery.lint.report.masking import masked_result

    made = load_format(name)(masked_result(result), options or RenderOptions())
    return iter((made,)) if isinstance(made, str) else iter(made)


def load_format(name: str) -> Callable[[LintResult, RenderOptions], str | Iterable[str]]:
    """Import what writes a format. Raises KeyError for one that is not in :data:`FORMATS`."""
    from importlib import import_module

    module, _, function = FORMATS[name].partition(":")
    found: Callable[[LintResult, RenderOptions], str | Iterable[str]] = getattr(import_module(module), function)
    return found
