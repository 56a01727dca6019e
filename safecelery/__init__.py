"""safecelery: the hardened Celery framework.

Start at :func:`safecelery.create_app` and :class:`safecelery.SafeTask`.
"""

__all__: list[str] = []
