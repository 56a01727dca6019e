"""Decorators that never make a task, by their last names."""

from __future__ import annotations

from typing import Final

__all__ = ["NO_TASK"]

_NAMES: Final = """
    property cached_property setter getter deleter staticmethod classmethod abstractmethod overload override final
    contextmanager asynccontextmanager fixture parametrize patch object dict multiple usefixtures skipif skip xfail
    django_db freeze_time override_settings vcr asyncio wraps lru_cache cache dataclass receiver connect listens_for
    route get post put delete head options websocket websocket_route action command group option argument
    pass_context field_validator model_validator validator root_validator validates hybrid_property register filter
    simple_tag inclusion_tag total_ordering singledispatch given settings example reify login_required api_view
    errorhandler before_request after_request teardown_request app_context_processor expect
"""
NO_TASK: Final = frozenset(_NAMES.split())
"""A function is no task when all of its decorators are here."""
