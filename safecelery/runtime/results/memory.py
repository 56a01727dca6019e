"""Results in this process' memory: for tests."""

from __future__ import annotations

from typing import Any

from celery.backends.cache import CacheBackend

from safecelery.errors import SettingsError
from safecelery.runtime.results.key_value import SealedKeyValue

__all__ = ["SealedMemoryBackend"]


class SealedMemoryBackend(SealedKeyValue, CacheBackend):
    """``cache+memory://``. Memcached is not in the table: it forgets results as it likes."""

    def __init__(self, app: Any, **kwargs: Any) -> None:
        super().__init__(app, **kwargs)
        if self.backend != "memory":
            raise SettingsError(f"results in {self.backend!r} are not sealed; of caches, only memory:// is")
