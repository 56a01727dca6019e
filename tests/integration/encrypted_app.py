"""``celery -A tests.integration.encrypted_app worker``: one task that says that it must be encrypted."""

from __future__ import annotations

import os
from typing import Any

from service.factory import witness

from safecelery import SafeCelery, SafeCelerySettings, create_app

LIMITS: dict[str, Any] = {"time_limit": 20, "soft_time_limit": 15}


def make(settings: SafeCelerySettings | None = None) -> SafeCelery:
    """The app."""
    app = create_app("encrypted", settings)

    @app.task(name="service.hide", encrypt=True, ignore_result=True, **LIMITS)
    def hide(text: str) -> str:
        witness("hide", text=text)
        return text

    @app.task(name="service.open", ignore_result=True, **LIMITS)
    def open_(text: str) -> str:
        witness("open", text=text)
        return text

    return app


if "SAFECELERY_SIGNING__KEY" in os.environ:
    app = make()
