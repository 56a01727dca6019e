"""``celery -A tests.integration.scheduled_app beat``: the service's app with a schedule."""

from service.factory import make_app

app = make_app()
app.conf.beat_schedule = {
    "run": {"task": "service.add", "schedule": 1.0, "args": (7007, 1)},
    "look": {"task": "service.add", "schedule": 1.0, "args": (7008, 1), "options": {"queue": "idle"}},
}
