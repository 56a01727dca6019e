"""What the linter was told: defaults, a file of the project, the command line."""

from __future__ import annotations

from safecelery.lint.config.load import load_config
from safecelery.lint.config.model import LintConfig
from safecelery.lint.config.selectors import codes_of

__all__ = ["LintConfig", "codes_of", "load_config"]
