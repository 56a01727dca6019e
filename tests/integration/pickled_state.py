"""``celery -A tests.integration.pickled_state worker|beat``: plain Celery, what state files are compared with."""

from __future__ import annotations

from celery import Celery

app = Celery("pickled", broker="memory://", backend="cache+memory://")
app.conf.update(
    beat_schedule={"seldom": {"task": "pickled.seldom", "schedule": 3600.0}},
    worker_enable_remote_control=False,
)
