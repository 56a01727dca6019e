from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from safecelery.errors import PolicyFileError
from safecelery.policy import CATALOGUE, Level, Policy, load_policy
from safecelery.policy import shipped as shipped_module
from safecelery.policy.rule import Severity
from safecelery.policy.rules import BY_CODE, CODE_BY_NAME
from safecelery.policy.shipped import SHIPPED, shipped_directory, shipped_policy

WAIVER = '[[waivers]]\nrule = "early-acknowledgement"\nreason = "r"\nowner = "o"\nexpires = 2030-01-01\n'


def write(directory: Path, text: str, name: str = "mine.toml") -> Path:
    path = directory / name
    path.write_text(text, encoding="utf-8")
    return path


def refusal(directory: Path, text: str) -> str:
    path = write(directory, text)
    with pytest.raises(PolicyFileError) as caught:
        load_policy(path)
    assert "mine.toml" in str(caught.value)
    return str(caught.value)


class TestShipped:
    @pytest.mark.parametrize("name", SHIPPED)
    def test_each_loads_and_says_its_name(self, name: str) -> None:
        policy = load_policy(name)
        assert policy.name == name
        assert set(policy.levels) == {rule.code for rule in CATALOGUE}
        assert policy.waivers == ()

    def test_every_file_beside_them_is_one_of_them(self) -> None:
        assert {path.stem for path in shipped_directory().glob("*.toml")} == set(SHIPPED)

    def test_strict_is_nowhere_looser_than_baseline(self) -> None:
        order = [Level.OFF, Level.WARN, Level.ERROR]
        strict, baseline = load_policy("strict"), load_policy("baseline")
        for code, level in baseline.levels.items():
            assert order.index(strict.levels[code]) >= order.index(level), code
        for name in type(strict.limits).__dataclass_fields__:
            tight, loose = getattr(strict.limits, name), getattr(baseline.limits, name)
            if name == "allowed_pools":
                assert set(tight) <= set(loose)
            elif name == "tls_floor":
                assert (tight, loose) == ("TLSv1.3", "TLSv1.2")
            else:
                assert tight < loose, name

    def test_no_rule_is_off_in_any_of_them_but_remarks_of_low_severity(self) -> None:
        off = {c for n in SHIPPED for c, level in load_policy(n).levels.items() if level is Level.OFF}
        assert {BY_CODE[code].severity for code in off} <= {Severity.LOW}

    def test_migration_still_refuses_every_format_but_json(self) -> None:
        levels = load_policy("migration").levels
        assert {level for code, level in levels.items() if code.startswith("SFC1")} == {Level.ERROR}
        assert levels[CODE_BY_NAME["signing-off"]] is Level.WARN

    def test_every_number_says_why(self) -> None:
        for name in SHIPPED:
            lines = shipped_policy(name).read_text(encoding="utf-8").partition("\n[limits]\n")[2].splitlines()
            assert lines
            for above, line in zip(["", *lines], lines, strict=False):
                assert line.startswith("#") or above.startswith("#"), f"{name}: {line}"

    def test_a_broken_installation_says_so(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr(shipped_module, "_CANDIDATES", (tmp_path,))
        with pytest.raises(PolicyFileError, match="install it again"):
            load_policy("baseline")


class TestExtending:
    def test_keeps_what_it_does_not_state(self, tmp_path: Path) -> None:
        policy = load_policy(write(tmp_path, 'name = "mine"\nextends = "strict"\n[limits]\nmax_retries = 2\n'))
        assert (policy.name, policy.limits.max_retries) == ("mine", 2)
        assert policy.limits.tls_floor == "TLSv1.3"

    def test_names_rules_by_code_or_by_name(self, tmp_path: Path) -> None:
        text = 'name = "mine"\nextends = "baseline"\n[rules]\nSFC501 = "warn"\nsigning-off = "off"\n'
        levels = load_policy(write(tmp_path, text)).levels
        assert (levels["SFC501"], levels["SFC301"], levels["SFC401"]) == (Level.WARN, Level.OFF, Level.ERROR)

    def test_a_file_beside_it_through_several_steps(self, tmp_path: Path) -> None:
        write(tmp_path, f'name = "company"\nextends = "baseline"\n[limits]\nmax_retries = 4\n{WAIVER}', "company.toml")
        text = f'name = "mine"\nextends = "company.toml"\n{WAIVER}scope = "shop.*"\n'
        policy = load_policy(str(write(tmp_path, text)))
        assert policy.limits.max_retries == 4
        assert [waiver.scope for waiver in policy.waivers] == ["*", "shop.*"]

    def test_a_list_of_pools_is_read(self, tmp_path: Path) -> None:
        text = 'name = "mine"\nextends = "baseline"\n[limits]\nallowed_pools = ["prefork", "gevent"]\n'
        assert load_policy(write(tmp_path, text)).limits.allowed_pools == ("prefork", "gevent")

    def test_a_circle_is_refused(self, tmp_path: Path) -> None:
        assert "circle" in refusal(tmp_path, 'name = "mine"\nextends = "mine.toml"\n')

    def test_a_missing_file_is_refused_by_its_name(self, tmp_path: Path) -> None:
        with pytest.raises(PolicyFileError, match=r"other\.toml: cannot be read"):
            load_policy(write(tmp_path, 'name = "mine"\nextends = "other.toml"\n'))

    def test_an_unknown_name_is_refused_with_a_hint(self, tmp_path: Path) -> None:
        assert "did you mean 'strict'" in refusal(tmp_path, 'name = "mine"\nextends = "strikt"\n')


class TestStandingAlone:
    def test_needs_every_limit(self, tmp_path: Path) -> None:
        assert "limits: max_time_limit_s, " in refusal(tmp_path, 'name = "mine"\n')

    def test_needs_a_level_for_every_rule(self, tmp_path: Path) -> None:
        text = shipped_policy("baseline").read_text(encoding="utf-8").replace('signing-off = "error"\n', "")
        assert "gives no level to SFC301 signing-off" in refusal(tmp_path, text)

    def test_is_enough_if_complete(self, tmp_path: Path) -> None:
        text = shipped_policy("baseline").read_text(encoding="utf-8")
        assert load_policy(write(tmp_path, text)).levels == load_policy("baseline").levels


HEAD = 'name = "mine"\nextends = "baseline"\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = ", "not TOML"),
        ("name = 1" + "0" * 5000, "not TOML"),
        ("name = " + "[" * 100_000, "not TOML"),
        ('extends = "baseline"\n', "name: must be a text"),
        ('name = " "\n', "name: must be a text"),
        ('name = "mine"\nextends = 1\n', "extends: must be a text"),
        (HEAD + 'limit = "x"\n', "limit: unknown key (did you mean 'limits'?)"),
        (HEAD + "limits = 3\n", "limits: must be a table"),
        (HEAD + "[limits]\nmax_retry = 3\n", "limits.max_retry: unknown key (did you mean 'max_retries'?)"),
        (HEAD + "[limits]\nmax_retries = true\n", "max_retries must be a whole number"),
        (HEAD + "[limits]\nmax_eta_s = inf\n", "max_eta_s must be positive and finite"),
        (
            HEAD + '[rules]\nsigning-of = "error"\n',
            "rules.signing-of: there is no such rule (did you mean 'signing-off'?)",
        ),
        (HEAD + '[rules]\nsigning-off = "on"\n', "rules.signing-off: must be 'error', 'warn' or 'off'"),
        (HEAD + "[rules]\nsigning-off = true\n", "must be 'error', 'warn' or 'off', not True"),
        (HEAD + '[rules]\nsigning-off = "warn"\nSFC301 = "off"\n', "listed twice"),
        (HEAD + "waivers = 1\n", "write each as a [[waivers]] table"),
        (HEAD + "waivers = [1]\n", "waivers #1: must be a table"),
        (HEAD + WAIVER + 'until = "x"\n', "waivers #1.until: unknown key"),
        (HEAD + WAIVER.replace("early-acknowledgement", "nonsense"), "'nonsense', which is no rule"),
        (HEAD + WAIVER.replace("early-acknowledgement", "waiver-expired"), "cannot be waived"),
        (HEAD + WAIVER.replace('owner = "o"\n', ""), "waivers #1: a waiver needs 'owner'"),
        (HEAD + WAIVER.replace('"o"', '""'), "waivers #1: a waiver needs 'owner'"),
        (HEAD + WAIVER.replace("2030-01-01", "2030-01-01T00:00:00Z"), "needs a date"),
        (HEAD + WAIVER.replace("2030-01-01", '"2030-01-01"'), "needs a date"),
        (HEAD + WAIVER.replace("expires = 2030-01-01\n", ""), "waivers #1: a waiver needs 'expires'"),
    ],
)
def test_a_file_that_does_not_mean_what_it_says_is_refused(text: str, complaint: str, tmp_path: Path) -> None:
    assert complaint in refusal(tmp_path, text)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyFileError, match=r"mine\.toml: cannot be read"):
        load_policy(path)


def test_an_unknown_name_is_refused_with_a_hint() -> None:
    with pytest.raises(PolicyFileError, match=r"no policy 'baselin' \(did you mean 'baseline'\?\)"):
        load_policy("baselin")


def test_a_waiver_carries_the_code_and_the_place(tmp_path: Path) -> None:
    (waiver,) = load_policy(write(tmp_path, HEAD + WAIVER)).waivers
    assert (waiver.rule, waiver.expires, waiver.scope) == ("SFC501", date(2030, 1, 1), "*")
    assert str(waiver.where).endswith("mine.toml waivers #1")


def test_a_policy_cannot_be_loosened_through_the_mapping_it_was_made_from() -> None:
    baseline = load_policy("baseline")
    levels = dict(baseline.levels)
    policy = Policy(name="mine", levels=levels, limits=baseline.limits)
    levels["SFC301"] = Level.OFF
    assert policy.levels["SFC301"] is Level.ERROR
    with pytest.raises(TypeError):
        policy.levels["SFC301"] = Level.OFF  # type: ignore[index]
