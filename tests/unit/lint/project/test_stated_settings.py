"""A settings module that was named for the linter and is not there is said, not passed over."""

from __future__ import annotations

from pathlib import Path

from tests.unit.lint.project.readings import DJANGO, Default, facts_of, lint_of


def test_a_stated_module_that_is_not_there_is_noted_with_what_was_read_instead(tmp_path: Path) -> None:
    files = {**DJANGO, "shop/settings.py": "CELERY_TASK_TIME_LIMIT = 60\n"}
    assert lint_of(tmp_path, files, settings="shop.settings").notes == ()
    (note,) = lint_of(tmp_path, files, settings="shop.setings").notes
    assert note == "settings: shop.setings is not in the tree; shop.settings was read in its place"


def test_a_stated_module_that_is_not_there_is_noted_where_there_is_no_other(tmp_path: Path) -> None:
    (note,) = lint_of(tmp_path, DJANGO, settings="config.production").notes
    assert note == "settings: config.production is not in the tree, so no settings were read"


def test_a_settings_package_that_holds_nothing_is_not_taken_for_the_settings(tmp_path: Path) -> None:
    files = {
        **DJANGO,
        "shop/settings/__init__.py": "",
        "shop/settings/common.py": "CELERY_TASK_TIME_LIMIT = 60\n",
        "shop/settings/dev.py": "from .common import *\n",
    }
    assert facts_of(tmp_path, files).value("pay", "time_limit") == Default(60, "DJANGO_SETTINGS_MODULE")
    (note,) = lint_of(tmp_path, files).notes
    assert note == "shop.settings states no settings; shop.settings.common was read in its place"


def test_settings_that_hold_nothing_are_taken_if_there_are_no_others(tmp_path: Path) -> None:
    files = {**DJANGO, "shop/settings.py": "\n"}
    assert facts_of(tmp_path, files).value("pay", "time_limit") is None
    assert lint_of(tmp_path, files).notes == ()


def test_a_missing_module_of_a_settings_package_is_replaced_by_one_beside_it(tmp_path: Path) -> None:
    celery = DJANGO["shop/celery.py"].replace("shop.settings", "shop.settings.custom")
    files = {
        **DJANGO,
        "shop/celery.py": celery,
        "shop/settings/__init__.py": "",
        "shop/settings/default.py": "CELERY_TASK_TIME_LIMIT = 60\n",
    }
    assert facts_of(tmp_path, files).value("pay", "time_limit") == Default(60, "DJANGO_SETTINGS_MODULE")
    (note,) = lint_of(tmp_path, files).notes
    assert note == "shop.settings.custom is not in the tree; shop.settings.default was read in its place"
