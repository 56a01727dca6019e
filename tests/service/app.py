"""``celery -A service.app worker``: the app with settings from the environment."""

from service.factory import make_app

app = make_app()
