"""A formatter for logs that a machine reads: each record is one line of JSON with stable keys."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

__all__ = ["JsonFormatter"]

#: What our own records carry beside their text (telemetry/events.py).
_OURS = "safecelery_"


class JsonFormatter(logging.Formatter):
    """``at``, ``level``, ``logger``, ``message``; of records of ours also their fields, without the prefix.

    Set it as any formatter: in ``logging.config``, or on Celery's handlers in its signal ``after_setup_logger``.
    JSON escapes line breaks and control characters, so a record is one line whatever is in it.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        fields = {name.removeprefix(_OURS): value for name, value in vars(record).items() if name.startswith(_OURS)}
        line |= {name: value for name, value in fields.items() if name not in line}
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)
