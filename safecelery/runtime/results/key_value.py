"""Sealed results in stores of keys and values: what Redis and the in-memory cache have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from celery import states
from celery.backends.base import BackendStoreError
from kombu.utils.encoding import bytes_to_str

from safecelery.errors import ResultTooLarge
from safecelery.runtime.hidden import gathered_for
from safecelery.runtime.results.meta import PENDING
from safecelery.runtime.results.sealed import SealedBackend

__all__ = ["SealedKeyValue"]


class SealedKeyValue(SealedBackend):
    """Mixin for a subclass of ``celery.backends.base.BaseKeyValueStoreBackend``."""

    def _store_result(
        self: Any, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None, **kwargs: Any
    ) -> Any:
        """As Celery's, sealed. A stored ``SUCCESS`` stays, if it is believed."""
        task_id = bytes_to_str(task_id)
        meta = self._get_result_meta(result=result, state=state, traceback=traceback, request=request)
        meta["task_id"] = task_id
        if (current := self.get(self.get_key_for_task(task_id))) and self.is_success(task_id, current):
            return result
        try:
            value = self.sealed_meta(task_id, meta, request)
        except ResultTooLarge as error:
            name = self.task_of(task_id, request)
            meta = self.fitted(error, meta, name, secret=self.is_secret(name, request))
            state, value = meta["status"], self.sealed_meta(task_id, meta, request)
        try:
            self._set_with_state(self.get_key_for_task(task_id), value, state)
        except BackendStoreError as error:
            raise BackendStoreError(str(error), state=state, task_id=task_id) from error
        return result

    def _forget(self: Any, task_id: str) -> None:
        """As Celery's, and the large value with it."""
        key = self.get_key_for_task(task_id)
        if self.seal.place is not None and (stored := self.get(key)):
            self.drop_claim(bytes_to_str(task_id), stored)
        self.delete(key)

    def get_many(self: Any, task_ids: Iterable[str], **kwargs: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        """As Celery's; nothing that is gathered for a chord comes of what this process has read before, or stays."""
        wanted = set(task_ids)
        forgotten = () if gathered_for() is None else tuple(wanted)  # Celery empties the set
        try:
            self._forget_read(forgotten)
            yield from super().get_many(wanted, **kwargs)  # type: ignore[misc]
        finally:
            self._forget_read(forgotten)

    def _forget_read(self: Any, task_ids: Iterable[str]) -> None:
        for task_id in task_ids:
            self._cache.pop(task_id, None)

    def _get_task_meta_for(self: Any, task_id: str) -> dict[str, Any]:
        stored = self.get(self.get_key_for_task(task_id))
        return self.opened_meta(bytes_to_str(task_id), stored) if stored else PENDING()

    def task_result_exists(self: Any, task_id: str) -> bool:
        """As Celery's; what is not believed is refused here too."""
        stored = self.get(self.get_key_for_task(task_id))
        return bool(stored) and bool(self.opened_meta(bytes_to_str(task_id), stored))

    def _mget_to_results(
        self: Any,
        values: Any,
        keys: Any,
        READY_STATES: Any = states.READY_STATES,  # noqa: N803  # Celery's name
    ) -> dict[str, Any]:
        """As Celery's; the id of each key is the one that has to be signed."""
        found = dict(self._by_id(values, keys))
        return {task_id: meta for task_id, meta in found.items() if meta["status"] in READY_STATES}

    def _by_id(self: Any, values: Any, keys: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        if isinstance(values, Mapping):
            pairs = [(self._strip_prefix(key), value) for key, value in values.items()]
        else:
            pairs = [(bytes_to_str(key), value) for key, value in zip(keys, values, strict=True)]
        for task_id, value in pairs:
            if value is not None:
                yield task_id, self.opened_meta(task_id, value)

    def _save_group(self: Any, group_id: str, result: Any) -> Any:
        self._set_with_state(self.get_key_for_group(group_id), self.sealed_group(group_id, result), states.SUCCESS)
        return result

    def _restore_group(self: Any, group_id: str) -> dict[str, Any] | None:
        stored = self.get(self.get_key_for_group(group_id))
        return self.opened_group(bytes_to_str(group_id), stored) if stored else None
