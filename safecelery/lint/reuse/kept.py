"""The file that holds the result of the last run: in the folder of the cache, one for each question.

What is there is believed no further than the rest of the cache (safecelery/lint/source/cache.py): the folder and the
file must be the user's, and stamps hold the time of the last change, which no checkout or archive can set. What is kept
is what a report shows, secrets masked. Whatever is odd is computed afresh.
"""

from __future__ import annotations

import json
import time
from typing import Any

from safecelery.lint.config import LintConfig
from safecelery.lint.finding import LintResult
from safecelery.lint.report.masking import masked_result
from safecelery.lint.reuse.basis import Basis
from safecelery.lint.reuse.entry import OddError, plain, result_from, result_to
from safecelery.lint.source.beside import Beside
from safecelery.lint.source.cache import settled
from safecelery.lint.source.folder import DEFAULT_CACHE, open_folder, read_own, write_own
from safecelery.lint.source.reading import Stamp

__all__ = ["KeptResult"]

_PARTS = frozenset({"state", "stamps", "present", "result"})


class KeptResult:
    """The place for the result of one question. To be made before anything is read."""

    def __init__(self, config: LintConfig, name: str, basis: Basis) -> None:
        self._began = time.time_ns()
        self._basis = basis
        self._state = basis.state(name)
        folder, _ = open_folder(str(config.cache_dir) if config.cache_dir else DEFAULT_CACHE)
        self._path = f"{folder}/result-{name}.json" if folder is not None else None

    def load(self) -> LintResult | None:
        """The kept result, if all it depends on is as it was. Never raises."""
        if self._path is None or self._state is None:
            return None
        try:
            kept = json.loads(read_own(self._path))
        except (ValueError, RecursionError):
            return None
        if type(kept) is not dict or set(kept) != _PARTS or kept["state"] != self._state:
            return None
        try:
            return result_from(kept["result"]) if _beside(kept).unchanged() else None
        except OddError:
            return None

    def save(self, result: LintResult) -> None:
        """Keep the result, if the next run can tell whether it still holds. What cannot be written is left."""
        basis = self._basis
        if self._path is None or self._state is None or not basis.complete or not basis.beside.lasting:
            return
        shown = masked_result(result)
        if result.unread or masked_result(shown) != shown or not all(settled(s, self._began) for s in basis.stamps()):
            return
        kept = {
            "state": self._state,
            "stamps": basis.beside.stamps,
            "present": basis.beside.present,
            "result": result_to(shown),
        }
        write_own(self._path, (json.dumps(kept, default=plain, separators=(",", ":")).encode(),))


def _beside(kept: dict[str, Any]) -> Beside:
    """Raises OddError."""
    stamps, present = kept["stamps"], kept["present"]
    if type(stamps) is not dict or type(present) is not dict:
        raise OddError
    if not all(type(there) is bool for there in present.values()):
        raise OddError
    beside = Beside()
    beside.stamps = {path: _stamp(stamp) for path, stamp in stamps.items()}
    beside.present = present
    return beside


def _stamp(value: object) -> Stamp | None:
    if value is None:
        return None
    if type(value) is not list or len(value) != 4 or not all(type(part) is int for part in value):
        raise OddError
    return value[0], value[1], value[2], value[3]
