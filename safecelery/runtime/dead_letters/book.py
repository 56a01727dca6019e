"""The book of replays: who sent which dead letter again, when, and as what. JSON lines, only ever appended."""

from __future__ import annotations

import getpass
import json
import logging
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from safecelery.errors import DeadLetterError

__all__ = ["ReplayBook", "default_book"]

logger = logging.getLogger("safecelery")


def default_book() -> Path:
    """``~/.local/state/safecelery/replays.jsonl``, or as XDG_STATE_HOME says (XDG Base Directory Specification)."""
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(base) / "safecelery" / "replays.jsonl"


class ReplayBook:
    """A file of mode 0600. A line is on the disk when :meth:`write` returns."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, event: str, **what: Any) -> None:
        """Append a line, and say the same in the log. Holds names and ids, never a payload.

        Raises:
            DeadLetterError: it cannot be written, so what it would tell of must not happen.
        """
        line = {"event": event, "at": datetime.now(UTC).isoformat(), "user": _user(), "host": platform.node(), **what}
        data = (json.dumps(line) + "\n").encode()
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, data)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise DeadLetterError(
                f"the book of replays {self.path} cannot be written ({error.strerror}), so nothing is sent; "
                "name another file with --record"
            ) from None
        logger.info("dead letter %s: %s", event, json.dumps(what))


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
