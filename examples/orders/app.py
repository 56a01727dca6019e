"""The service's app. Every setting comes from the environment or ``safecelery.toml``; none is written here.

Start it with ``celery -A orders.app worker`` and ``celery -A orders.app beat``.
"""

from safecelery import create_app

app = create_app("orders", include=["orders.tasks"])

app.conf.beat_schedule = {
    "every-second": {"task": "orders.tick", "schedule": 1.0},
}
