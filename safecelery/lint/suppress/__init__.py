"""Comments that excuse findings: ``# safecelery: ignore[SFC401] reason``."""

from __future__ import annotations

from safecelery.lint.suppress.apply import Suppressed, apply
from safecelery.lint.suppress.python import read_comments
from safecelery.lint.suppress.text import read_text_comments

__all__ = ["Suppressed", "apply", "read_comments", "read_text_comments"]
