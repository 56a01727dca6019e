"""The only home of Celery's seams. Its files are the flow: publish, consume, execute, reject; startup checks them."""
