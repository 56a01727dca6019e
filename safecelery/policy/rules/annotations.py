"""``task_annotations``, read the same way by every rule that asks about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from safecelery.policy.facts import SettingsFacts

__all__ = ["annotated"]


def annotated(settings: SettingsFacts) -> Iterator[tuple[str, str, object]]:
    """Pattern, option, value of every annotation that is written as a mapping (celery/app/annotations.py)."""
    stated = settings.value("task_annotations")
    for part in stated if isinstance(stated, list | tuple) else (stated,):
        for pattern, options in part.items() if isinstance(part, Mapping) else ():
            for option, value in options.items() if isinstance(options, Mapping) else ():
                yield str(pattern), str(option), value
