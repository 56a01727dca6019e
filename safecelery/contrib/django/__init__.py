"""Django: ``INSTALLED_APPS += ["safecelery.contrib.django"]`` makes ``manage.py check`` look at the Celery app, too."""
