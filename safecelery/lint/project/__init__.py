"""What of a tree is Celery: its apps and their settings, its tasks and their effective options, its calls."""
