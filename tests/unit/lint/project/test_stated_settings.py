"""A settings module that was named for the linter and is not there is said, not passed over."""

from __future__ import annotations

from pathlib import Path

from tests.unit.lint.project.readings import DJANGO, lint_of


def test_a_stated_module_that_is_not_there_is_noted_with_what_was_read_instead(tmp_path: Path) -> None:
    files = {**DJANGO, "shop/settings.py": "CELERY_TASK_TIME_LIMIT = 60\n"}
    assert lint_of(tmp_path, files, settings="shop.settings").notes == ()
    (note,) = lint_of(tmp_path, files, settings="shop.setings").notes
    assert note == "settings: shop.setings is not in the tree; shop.settings was read in its place"


def test_a_stated_module_that_is_not_there_is_noted_where_there_is_no_other(tmp_path: Path) -> None:
    (note,) = lint_of(tmp_path, DJANGO, settings="config.production").notes
    assert note == "settings: config.production is not in the tree, so no settings were read"
