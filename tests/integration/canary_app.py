"""``celery -A tests.integration.canary_app worker``: tasks that handle something which nobody else may see.

``CANARY_ENCRYPT`` says whether they are encrypted: without it, whatever looks for the canary has to find it.
"""

from __future__ import annotations

import logging
import os
import signal
import time
from pathlib import Path
from typing import Any

from celery.signals import after_setup_logger, after_setup_task_logger
from celery.utils.log import get_task_logger
from service.factory import witness

from safecelery import SafeCelery, SafeCelerySettings, SafeTask, create_app

QUEUE = "vault"
#: The file for which a task waits that is to be looked at while it runs.
GATE = "it-was-looked-at"
LIMITS: dict[str, Any] = {"time_limit": 20, "soft_time_limit": 15}
words = get_task_logger("canary")


def make(settings: SafeCelerySettings | None = None, *, encrypt: bool | None = None) -> SafeCelery:
    """The app, which tells as much as Celery can be made to tell."""
    secret = os.environ.get("CANARY_ENCRYPT") == "yes" if encrypt is None else encrypt
    app = create_app("canary", settings)
    app.conf.task_send_sent_event = True
    app.conf.worker_send_task_events = True
    app.conf.task_default_queue = QUEUE
    app.conf.task_default_routing_key = QUEUE
    _plain(app)
    _secret(app, secret)
    return app


def _plain(app: SafeCelery) -> None:
    @app.task(name="service.first", time_limit=20, soft_time_limit=15)
    def first() -> int:
        return 1


def _secret(app: SafeCelery, encrypt: bool) -> None:
    options = {**LIMITS, "encrypt": encrypt}

    @app.task(name="service.keep", **options)
    def keep(text: str) -> str:
        witness("keep", length=len(text))
        return text

    @app.task(name="service.count", **options)
    def count(texts: list[str]) -> int:
        return sum(map(len, texts))

    @app.task(name="service.spill", **options)
    def spill(text: str) -> None:
        local = f"a variable with {text}"
        witness("spill", length=len(text))
        raise ValueError(local)

    @app.task(name="service.again", bind=True, max_retries=1, **options)
    def again(self: SafeTask[..., Any], text: str) -> str:
        witness("again", retries=self.request.retries)
        if not self.request.retries:
            raise self.retry(exc=ValueError(text), countdown=0)
        return text

    @app.task(name="service.show", bind=True, **options)
    def show(self: SafeTask[..., Any], text: str) -> None:
        words.warning("the request is %r", self.request)
        witness("show", length=len(text))

    @app.task(name="service.once", idempotency_key="once:{text}", **options)
    def once(text: str) -> str:
        witness("once", length=len(text))
        return text

    @app.task(name="service.linger", **options)
    def linger(text: str) -> str:
        witness("linger", when="begins")
        while not Path(GATE).exists():  # in the worker's directory
            time.sleep(0.01)
        witness("linger", when="ends")
        return text

    @app.task(name="service.die", retry_on_worker_lost=True, max_retries=0, **options)
    def die(text: str) -> None:
        witness("die", length=len(text))
        os.kill(os.getpid(), signal.SIGKILL)


def mail_errors(logger: logging.Logger, **_: Any) -> None:
    """As a Django project does: every error with the variables of its frames, to the administrators' folder."""
    import django
    from django.conf import settings
    from django.utils.log import AdminEmailHandler

    folder = os.environ.get("CANARY_MAILS")
    if folder is None:
        return
    Path(folder).mkdir(exist_ok=True)
    if not settings.configured:
        settings.configure(
            ADMINS=[("admin", "admin@example.org")],
            EMAIL_FILE_PATH=folder,
            EMAIL_BACKEND="django.core.mail.backends.filebased.EmailBackend",
            LOGGING_CONFIG=None,
            SECRET_KEY="a test has none",
        )
        django.setup()
    handler = AdminEmailHandler(include_html=True)
    handler.setLevel(logging.ERROR)
    logger.addHandler(handler)


after_setup_logger.connect(mail_errors)
after_setup_task_logger.connect(mail_errors)
if "SAFECELERY_SIGNING__KEY" in os.environ:
    app = make()
