"""``celery -A tests.integration.mingling_app worker``: the service, with more time for others to answer its mingling.

Celery gives them one second (celery/worker/consumer/mingle.py): too little where they have much else to do.
"""

from __future__ import annotations

from typing import Any

from service.app import app

__all__ = ["app"]


class PatientInspect(app.control.inspect):  # type: ignore[misc,name-defined]
    """Asks, and waits for some seconds."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options | {"timeout": 6.0})


app.control.inspect = PatientInspect
