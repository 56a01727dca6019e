"""Which files are looked at, and what is found in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from safecelery.lint.source import SourceTree, collect
from safecelery.lint.source import tree as tree_module
from tests.unit.lint.source.source_trees import is_root, plain_stages, write

TASK = "from celery import shared_task\n\n\n@shared_task\ndef charge():\n    pass\n"


def gathered(root: Path | str, **options: object) -> SourceTree:
    return collect([str(root)], cache_dir=None, stages=plain_stages(), **options)  # type: ignore[arg-type]


def paths(tree: SourceTree) -> list[str]:
    return [record.path for record in tree.records]


def test_only_files_that_concern_celery_are_reduced_in_the_order_of_their_paths(tmp_path: Path) -> None:
    write(tmp_path, {"b/z.py": TASK, "b/a.py": "charge.delay(1)\n", "a.py": "CELERY_X = 1\n", "c.py": "x = 1\n"})
    tree = gathered(tmp_path)
    assert paths(tree) == ["a.py", "b/a.py", "b/z.py"]
    assert tree.files == 4
    assert tree.records[2].ir == {"body": ["charge"]}
    assert tree.records[1].sites == [{"line": 1}]
    assert tree.records[2].absolute == str(tmp_path / "b/z.py")
    assert tree.unread == []


def test_folders_of_other_programs_are_not_entered(tmp_path: Path) -> None:
    skipped = (".git", ".tox", "node_modules", "env/lib/site-packages", "__pycache__", "x.egg-info", ".hidden", "build")
    write(tmp_path, {f"{folder}/tasks.py": TASK for folder in skipped})
    write(tmp_path, {"venv/pyvenv.cfg": "", "venv/tasks.py": TASK, "build/lib/tasks.py": TASK, "mine/build/t.py": TASK})
    assert paths(gathered(tmp_path)) == ["mine/build/t.py"]


def test_exclude_takes_names_and_paths(tmp_path: Path) -> None:
    write(tmp_path, {"a/legacy/t.py": TASK, "a/t.py": TASK, "b/t.py": TASK, "b/gen_1.py": TASK, "legacy.py": TASK})
    assert paths(gathered(tmp_path, exclude=["legacy", "gen_*.py", "b/t.py"])) == ["a/t.py", "legacy.py"]
    assert paths(gathered(tmp_path, exclude=["a/*/"])) == ["b/gen_1.py", "b/t.py", "legacy.py"]


def test_tests_are_left_out_unless_asked_for_or_named(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "shop/tasks.py": TASK,
            "shop/tests.py": TASK,
            "shop/test_tasks.py": TASK,
            "shop/tests/unit/test_a.py": TASK,
            "shop/tests/helper.py": TASK,
            "shop/testing/kit.py": TASK,
            "conftest.py": TASK,
        },
    )
    assert paths(gathered(tmp_path)) == ["shop/tasks.py", "shop/testing/kit.py"]
    everything = gathered(tmp_path, include_tests=True)
    assert [record.path for record in everything.records if not record.is_test] == paths(gathered(tmp_path))
    assert len(everything.records) == 7
    assert paths(gathered(tmp_path / "shop/tests")) == ["helper.py", "unit/test_a.py"]
    (tmp_path / "shop/tests/conftest.py").touch()
    assert paths(gathered(tmp_path / "shop/tests/unit")) == ["test_a.py"]
    assert paths(gathered(tmp_path / "shop/test_tasks.py")) == ["test_tasks.py"]


def test_a_project_below_a_folder_called_tests_is_a_project(tmp_path: Path) -> None:
    write(tmp_path, {"tests/shop/tasks.py": TASK, "tests/shop/tests/test_tasks.py": TASK})
    assert paths(gathered(tmp_path / "tests/shop")) == ["tasks.py"]


def test_links_are_neither_followed_out_of_the_tree_nor_in_circles_nor_counted_twice(tmp_path: Path) -> None:
    write(tmp_path, {"out/secret.py": TASK, "in/real.py": TASK, "in/pkg/settings.py": "x = 1\n"})
    tree_root = tmp_path / "in"
    (tree_root / "loop").symlink_to(tree_root)
    (tree_root / "outside").symlink_to(tmp_path / "out")
    (tree_root / "secret.py").symlink_to(tmp_path / "out/secret.py")
    (tree_root / "current.py").symlink_to("pkg/settings.py")
    (tree_root / "dangling.py").symlink_to("nothing.py")
    tree = gathered(tree_root)
    assert paths(tree) == ["real.py"]
    assert len(tree.notes) == 1
    assert "2 links that lead out of the tree were not followed" in tree.notes[0]
    found = tree.find_module("current")
    assert found is not None
    assert found.path == "pkg/settings.py"


def test_two_arguments_that_overlap_give_each_file_once(tmp_path: Path) -> None:
    write(tmp_path, {"a/t.py": TASK, "b.py": TASK})
    tree = collect([str(tmp_path / "a"), str(tmp_path), str(tmp_path / "b.py")], cache_dir=None, stages=plain_stages())
    assert [(record.path, record.argument) for record in tree.records] == [
        ("t.py", str(tmp_path / "a")),
        ("b.py", str(tmp_path)),
    ]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"a.py": TASK + "x = = 1\n", "b.py": b"import celery  # \xff\n", "big.py": "#" * 5_000_001 + "\ncelery"},
    )
    write(tmp_path, {"big_but_not_ours.py": "#" * 5_000_001, "not_ours.py": "x = = 1"})
    tree = collect([str(tmp_path), str(tmp_path / "gone"), "nul\0"], cache_dir=None, stages=plain_stages())
    said = {(Path(each.path).name, each.line): each.message for each in tree.unread}
    assert set(said) == {("a.py", 7), ("b.py", 1), ("big.py", 0), ("gone", 0), ("nul\0", 0)}
    assert "too large" in said["big.py", 0]
    assert "no such file" in said["gone", 0]
    assert {record.path: record.ir for record in tree.records}["a.py"] == {"body": ["charge"]}


@pytest.mark.skipif(is_root(), reason="root may read everything")
def test_forbidden_files_and_folders_are_said(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": TASK, "closed/b.py": TASK})
    (tmp_path / "a.py").chmod(0)
    (tmp_path / "closed").chmod(0)
    try:
        assert [Path(each.path).name for each in gathered(tmp_path).unread] == ["a.py", "closed"]
    finally:
        (tmp_path / "closed").chmod(0o700)


def test_a_device_or_pipe_is_no_source_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    assert gathered(tmp_path).files == 0
    assert "not a regular file" in gathered(tmp_path / "pipe.py").unread[0].message


def test_a_defect_in_a_stage_is_reported_and_ends_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": TASK})
    stages = plain_stages()
    stages.sites = lambda tree, source: [][0]
    tree = collect([str(tmp_path)], cache_dir=None, stages=stages)
    assert "a defect of safecelery: IndexError" in tree.unread[0].message
    assert tree.records[0].ir == {"body": ["charge"]}


def test_deployment_candidates_are_listed_with_their_kind(tmp_path: Path) -> None:
    kinds = {
        "Dockerfile": "dockerfile",
        "docker/Dockerfile.prod": "dockerfile",
        "docker/api.dockerfile": "dockerfile",
        "docker-compose.override.yml": "compose",
        "compose.yaml": "compose",
        "Procfile": "procfile",
        "Procfile.dev": "procfile",
        "etc/worker.service": "systemd",
        "etc/supervisord.conf": "supervisor",
        "etc/worker.ini": "ini",
        "run.sh": "shell",
        "bin/start-worker": "script",
        "k8s/worker.yaml": "yaml",
        "requirements.txt": "requirements",
        "requirements/base.in": "requirements",
        "constraints-3.txt": "constraints",
        "pyproject.toml": "pyproject",
        "setup.cfg": "setup-cfg",
        "Pipfile": "pipfile",
        "Pipfile.lock": "pipfile-lock",
        "poetry.lock": "poetry-lock",
        "uv.lock": "uv-lock",
        "pdm.lock": "pdm-lock",
        "keys/service.key": "key",
        "keys/trust.toml": "toml",
        ".env": "env",
    }
    write(tmp_path, {**dict.fromkeys(kinds, ""), "README.md": "", "LICENSE": "", "notes.txt": "", "a.js": ""})
    assert {file.path: file.kind for file in gathered(tmp_path).other_files} == kinds


def test_other_files_of_the_tree_are_read_when_asked_for(tmp_path: Path) -> None:
    write(tmp_path, {"shop/__init__.py": "", "shop/tasks.py": TASK, "shop/limits.py": "def soft(): ...\n"})
    tree = gathered(tmp_path)
    record = tree.load("shop/limits.py")
    assert record is not None
    assert record.ir == {"body": ["soft"]}
    assert tree.load(str(tmp_path / "shop/limits.py")) is record
    assert tree.load("shop/tasks.py") is tree.records[0]
    assert tree.load("shop/nothing.py") is None
    assert tree.load("/etc/passwd") is None


MODULES = {
    "manage.py": "",
    "apps/api/plane/__init__.py": "",
    "apps/api/plane/settings/__init__.py": "",
    "apps/api/plane/settings/common.py": "",
    "apps/api/plane/celery.py": TASK,
    "apps/api/worker.py": TASK,
    "apps/web/plane/__init__.py": "",
    "apps/web/plane/views.py": TASK,
    "apps/web/plane/settings.py": "",
    "src/lib1/core.py": "",
    "space/inner/deep.py": TASK,
}


def test_modules_are_found_wherever_their_package_lies_nearest_first(tmp_path: Path) -> None:
    write(tmp_path, MODULES)
    tree = gathered(tmp_path)
    by_path = {record.path: record for record in tree.records}

    def found(dotted: str, importer: str | None = None) -> str | None:
        record = tree.find_module(dotted, by_path[importer] if importer else None)
        return record.path if record is not None else None

    assert found("plane.settings.common") == "apps/api/plane/settings/common.py"
    assert found("plane.settings", "apps/api/plane/celery.py") == "apps/api/plane/settings/__init__.py"
    assert found("plane.settings", "apps/web/plane/views.py") == "apps/web/plane/settings.py"
    assert found("plane.settings", "apps/api/worker.py") == "apps/api/plane/settings/__init__.py"
    assert found("manage", "apps/api/plane/celery.py") == "manage.py"
    assert found("lib1.core") == "src/lib1/core.py"
    assert found("space.inner.deep") == found("inner.deep") == found("deep") == "space/inner/deep.py"
    assert found("plane.nothing") is found("os.path") is found("") is found("..") is None


def test_names_of_modules(tmp_path: Path) -> None:
    write(tmp_path, MODULES)
    tree = gathered(tmp_path)
    assert {record.path: record.modules[0] for record in tree.records} == {
        "apps/api/plane/celery.py": "plane.celery",
        "apps/api/worker.py": "apps.api.worker",
        "apps/web/plane/views.py": "plane.views",
        "space/inner/deep.py": "space.inner.deep",
    }
    init = tree.load("apps/api/plane/settings/__init__.py")
    assert init is not None
    assert (init.modules[0], init.is_package) == ("plane.settings", True)


def test_an_argument_inside_a_package_keeps_the_names_of_the_package(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"shop/__init__.py": "", "shop/core/__init__.py": "", "shop/core/tasks.py": TASK, "shop/core/a.py": ""},
    )
    tree = gathered(tmp_path / "shop/core")
    assert tree.records[0].modules[0] == "shop.core.tasks"
    found = tree.find_module("shop.core.a", tree.records[0])
    assert found is not None
    assert found.path == "a.py"


def test_linted_code_is_not_run(tmp_path: Path) -> None:
    trap = "import pathlib\npathlib.Path(__file__).with_suffix('.ran').touch()\nimport celery\n"
    write(tmp_path, {"a/__init__.py": trap, "a/tasks.py": trap, "celery.py": trap, "sitecustomize.py": trap})
    assert len(gathered(tmp_path).records) == 4
    assert not list(tmp_path.rglob("*.ran"))


def test_the_real_stages_read_a_real_module(tmp_path: Path) -> None:
    write(tmp_path, {"tasks.py": TASK})
    tree = tree_module.collect([str(tmp_path)], cache_dir=None)
    assert tree.unread == []
    assert "charge" in str(tree.records[0].ir)
