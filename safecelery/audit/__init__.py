"""The same facts as the linter's, read from a live app: any Celery app, also one that has never heard of us."""
