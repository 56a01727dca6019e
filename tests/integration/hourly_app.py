"""``celery -A tests.integration.hourly_app beat``: one entry that is due seldom, one that shows that beat ticks."""

from service.factory import make_app

app = make_app()
app.conf.beat_schedule = {
    "hourly": {"task": "service.add", "schedule": 3600.0, "args": (7100, 1), "options": {"queue": "hours"}},
    "tick": {"task": "service.add", "schedule": 1.0, "args": (7101, 1), "options": {"queue": "hours"}},
}
