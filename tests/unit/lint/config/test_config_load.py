"""Where the linter's configuration comes from, and what is said about a broken one."""

from __future__ import annotations

from pathlib import Path

import pytest

from safecelery.errors import LintError
from safecelery.lint.config import LintConfig, load_config
from safecelery.lint.config.keys import KEYS
from safecelery.lint.config.patterns import matches
from safecelery.policy import load_policy
from safecelery.policy.profile import Level


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / "shop" / "tasks").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def pyproject(directory: Path, text: str, table: str = "[tool.safecelery.lint]") -> Path:
    file = directory / "pyproject.toml"
    file.write_text(f"[project]\nname = 'shop'\n{table}\n{text}\n", encoding="utf-8")
    return file


def test_without_a_file_everything_has_its_default(project: Path) -> None:
    config = load_config(["shop"])
    assert config == LintConfig(root=project)
    assert (config.policy, config.output_format, config.source) == ("baseline", "full", "defaults")


class TestWhereItIsFound:
    def test_in_the_nearest_directory_above_the_first_path(self, project: Path) -> None:
        pyproject(project, "jobs = 1")
        file = pyproject(project / "shop", "jobs = 2")
        config = load_config(["shop/tasks", "elsewhere"])
        assert (config.jobs, config.source, config.root) == (2, str(file), project / "shop")

    def test_a_pyproject_of_other_tools_only_is_passed_by_even_if_it_is_broken(self, project: Path) -> None:
        pyproject(project, "jobs = 1")
        (project / "shop" / "pyproject.toml").write_text("[tool.ruff\n", encoding="utf-8")
        assert load_config(["shop/tasks"]).jobs == 1

    def test_never_above_the_repository(self, project: Path) -> None:
        inner = project / "shop"
        (inner / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")
        pyproject(project, "jobs = 1")
        assert load_config(["shop/tasks"]).jobs == 0

    def test_above_a_path_that_does_not_exist(self, project: Path) -> None:
        pyproject(project / "shop", "jobs = 3")
        assert load_config(["shop/nothing/here.py"]).jobs == 3

    def test_in_both_tables_of_pyproject_but_not_the_same_key(self, project: Path) -> None:
        pyproject(project, "policy = 'strict'\n[tool.safecelery.lint]\njobs = 2", "[tool.safecelery]")
        assert (load_config().policy, load_config().jobs) == ("strict", 2)
        pyproject(project, "jobs = 1\n[tool.safecelery.lint]\njobs = 2", "[tool.safecelery]")
        with pytest.raises(LintError, match=r"pyproject\.toml: jobs: stated in"):
            load_config()

    def test_in_the_lint_table_of_safecelery_toml(self, project: Path) -> None:
        (project / "safecelery.toml").write_text("profile = 'development'\n[lint]\njobs = 2\n", encoding="utf-8")
        assert load_config().jobs == 2

    def test_the_policy_that_the_service_runs_under_is_what_ci_checks(self, project: Path) -> None:
        (project / "shop" / "safecelery.toml").write_text("policy = 'policy.toml'\n", encoding="utf-8")
        pyproject(project, "jobs = 2")
        config = load_config(["shop"])
        assert (config.policy, config.jobs) == (str(project / "shop" / "policy.toml"), 2)
        assert config.origins["policy"] == str(project / "shop" / "safecelery.toml")
        pyproject(project, "policy = 'strict'")
        assert load_config(["shop"]).policy == "strict"

    def test_two_files_side_by_side_are_refused(self, project: Path) -> None:
        (project / "safecelery.toml").write_text("[lint]\n", encoding="utf-8")
        pyproject(project, "")
        with pytest.raises(LintError, match="both configure the linter"):
            load_config()

    def test_a_file_that_is_named_must_say_something(self, project: Path) -> None:
        file = project / "pyproject.toml"
        file.write_text("[project]\n", encoding="utf-8")
        with pytest.raises(LintError, match=r"no table \[tool.safecelery\]"):
            load_config(file=file)
        with pytest.raises(LintError, match="cannot be read"):
            load_config(file=project / "other.toml")
        pyproject(project, "jobs = 2")
        assert load_config(file=Path("pyproject.toml")).jobs == 2

    def test_isolated_reads_nothing(self, project: Path) -> None:
        pyproject(project, "jobs = 2")
        assert load_config(isolated=True) == LintConfig(root=project)


class TestBrokenFiles:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("polcy = 'strict'", r"lint\.polcy: unknown key \(did you mean 'policy'\?\)"),
            ("select = ['SFC999']", r"lint\.select: there is no rule 'SFC999'"),
            ("select = ['sfc401']", r"did you mean 'SFC401'\?"),
            ("ignore = ['hard-time-limit-mising']", "did you mean 'hard-time-limit-missing'"),
            ("select = 'SFC4'", r"lint\.select: must be a list of texts"),
            ("policy = 'stict'", r"did you mean 'strict'\?"),
            ("jobs = -1", "must be a whole number"),
            ("jobs = true", "must be a whole number"),
            ("include-tests = 'yes'", "must be true or false; it is 'yes'"),
            ("celery = 5.4", 'must be a version as text, such as "5.4"; it is 5.4'),
            ("output-format = 'sariff'", r"did you mean 'sarif'\?"),
            ("environment = {A = 1}", "must be a table of variables"),
            ("per-file-ignores = {'tests/**' = ['SFCX']}", r"per-file-ignores: 'tests/\*\*': there is no rule 'SFCX'"),
            ("per-file-ignores = ['SFC4']", "must be a table of patterns"),
            ("baseline = ''", "must be a text that is not empty"),
        ],
    )
    def test_say_file_key_and_what_would_be_right(self, project: Path, text: str, said: str) -> None:
        file = pyproject(project, text)
        with pytest.raises(LintError, match=said) as caught:
            load_config()
        assert str(caught.value).startswith(f"{file}: tool.safecelery.lint.")

    def test_a_broken_file_is_never_an_empty_one(self, project: Path) -> None:
        pyproject(project, "jobs = ")
        with pytest.raises(LintError, match=r"pyproject\.toml: not TOML"):
            load_config()
        (project / "pyproject.toml").write_bytes(b"[tool.safecelery]\n# \xff\n")
        with pytest.raises(LintError, match="not TOML"):
            load_config()

    def test_a_table_must_be_a_table(self, project: Path) -> None:
        (project / "pyproject.toml").write_text("[tool]\nsafecelery = 1\n", encoding="utf-8")
        with pytest.raises(LintError, match=r"tool\.safecelery: must be a table"):
            load_config()


class TestCommandLine:
    def test_wins_over_the_file_and_says_so(self, project: Path) -> None:
        pyproject(project, "jobs = 2\npolicy = 'strict'")
        config = load_config(["."], {"jobs": 1})
        assert (config.jobs, config.policy) == (1, "strict")
        assert config.origins["jobs"] == "command line"

    def test_paths_are_relative_to_where_they_are_written(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        pyproject(project, "baseline = 'known.json'\ncache-dir = '.cache'")
        monkeypatch.chdir(project / "shop")
        assert load_config().baseline == project / "known.json"
        assert load_config(options={"baseline": "mine.json"}).baseline == project / "shop" / "mine.json"

    def test_adds_to_the_environment(self, project: Path) -> None:
        pyproject(project, "environment = {A = '1', B = '2'}")
        assert load_config(options={"environment": {"B": "3"}}).environment == {"A": "1", "B": "3"}

    def test_is_checked_like_the_file(self, project: Path) -> None:
        with pytest.raises(LintError, match=r"^--select: there is no rule 'SFC4O1'"):
            load_config(options={"select": ["SFC4O1"]})
        with pytest.raises(LintError, match="command line: selct: unknown option"):
            load_config(options={"selct": ["SFC401"]})


class TestEffectiveConfiguration:
    def test_names_every_key_its_value_and_its_origin(self, project: Path) -> None:
        file = pyproject(project, "select = ['SFC4']\ncelery = '5.4'\nper-file-ignores = {'a\"b' = ['SFC401']}")
        text = load_config(options={"fail-on-undecided": True}).describe()
        assert f'select = ["SFC4"]  # {file} [tool.safecelery.lint]' in text
        assert 'celery = "5.4"  #' in text
        assert "fail-on-undecided = true  # command line" in text
        assert 'per-file-ignores = { "a\\"b" = ["SFC401"] }' in text
        assert "jobs = 0  # default" in text
        assert {line.partition(" = ")[0] for line in text.splitlines()[1:]} == set(KEYS)

    def test_is_toml_that_says_the_same_again(self, project: Path) -> None:
        import tomllib

        text = load_config(options={"select": ["SFC4"], "environment": {"A": "1\n"}}).describe()
        assert tomllib.loads(text)["environment"] == {"A": "1\n"}
        assert tomllib.loads(text)["select"] == ["SFC4"]


class TestSelection:
    def test_of_a_family_leaves_only_that_family_on(self) -> None:
        policy = LintConfig(select=("SFC4",), ignore=("SFC401",)).judged_by(load_policy("baseline"))
        on = {code for code, level in policy.levels.items() if level is not Level.OFF}
        assert "SFC402" in on
        assert {code[:4] for code in on} == {"SFC4"}
        assert "SFC401" not in on

    def test_extending_turns_on_what_the_policy_has_off(self) -> None:
        policy = load_policy("baseline")
        off = LintConfig(ignore=("SFC401",)).judged_by(policy)
        again = LintConfig(extend_select=("hard-time-limit-missing",)).judged_by(off)
        assert again.levels["SFC401"] is Level.ERROR
        assert LintConfig(extend_select=("SFC004",)).judged_by(policy).levels["SFC004"] is Level.WARN

    def test_per_file(self) -> None:
        config = LintConfig(per_file_ignores=(("legacy/**", ("SFC6",)), ("*.yml", ("SFC410",))))
        assert "SFC601" in config.ignored_in("legacy/a/tasks.py")
        assert config.ignored_in("deploy/compose.yml") == {"SFC410"}
        assert config.ignored_in("shop/tasks.py") == frozenset()


@pytest.mark.parametrize(
    ("pattern", "path", "match"),
    [
        ("tests", "shop/tests/test_a.py", True),
        ("tests/", "shop/tests/test_a.py", True),
        ("test_*.py", "shop/tests/test_a.py", True),
        ("shop/*.py", "shop/tests/test_a.py", False),
        ("shop/**/*.py", "shop/tests/test_a.py", True),
        ("shop/**/*.py", "shop/a.py", True),
        ("shop", "workshop/a.py", False),
        ("shop/tests", "other/shop/tests/a.py", False),
        ("**/migrations", "a/b/migrations/0001.py", True),
        ("a?.py", "ab.py", True),
        ("[ab].py", "a.py", True),
        ("[!a].py", "a.py", False),
        ("[z-a].py", "b.py", False),
        ("a.py", "aXpy", False),
        ("/conf", "shop/conf", False),
    ],
)
def test_patterns(pattern: str, path: str, match: bool) -> None:
    assert matches(pattern, path) is match
