"""Settings: four sources in their order, unknown names refused in each, secrets without a repr."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from safecelery import SafeCelerySettings, SettingsError
from safecelery.settings import CONFIG_FILE, SECRETS_DIR

PASSWORD = "s3cret-of-the-broker"
URL = f"rediss://orders:{PASSWORD}@h/0"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variables, no file in the working directory."""
    import os

    for name in list(os.environ):
        if name.upper().startswith("SAFECELERY_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def write_toml(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_the_defaults_are_those_of_production() -> None:
    settings = SafeCelerySettings()
    assert settings.profile == "production"
    assert settings.policy == "baseline"
    assert settings.broker_urls == ()
    assert settings.broker.tls_floor == "TLSv1.2"


def test_variables_nest_with_two_underscores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFECELERY_BROKER__URL", URL)
    monkeypatch.setenv("safecelery_broker__ca_file", "/ca.pem")
    monkeypatch.setenv("SAFECELERY_RESULTS__EXPIRES", "60")
    settings = SafeCelerySettings()
    assert settings.broker_urls == (URL,)
    assert settings.broker.ca_file == Path("/ca.pem")
    assert settings.results.expires == 60


@pytest.mark.parametrize("value", [f"{URL};{URL}2", f" {URL} ; {URL}2 ;"])
def test_a_failover_list_is_separated_by_semicolons(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SAFECELERY_BROKER__URL", value)
    assert SafeCelerySettings().broker_urls == (URL, URL + "2")


def test_precedence_arguments_variables_secrets_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each source alone, then each one hides those after it."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    write_toml(tmp_path / "safecelery.toml", 'default_queue = "file"\n[broker]\nca_file = "/from-file"\n')
    assert SafeCelerySettings().default_queue == "file"
    (secrets / "SAFECELERY_DEFAULT_QUEUE").write_text("secret")
    monkeypatch.setenv(SECRETS_DIR, str(secrets))
    assert SafeCelerySettings().default_queue == "secret"
    monkeypatch.setenv("SAFECELERY_DEFAULT_QUEUE", "variable")
    assert SafeCelerySettings().default_queue == "variable"
    assert SafeCelerySettings(default_queue="argument").default_queue == "argument"
    assert SafeCelerySettings().broker.ca_file == Path("/from-file"), "sources are merged member by member"


def test_a_secret_file_may_hold_a_nested_value(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "safecelery_broker__url").write_text(URL + "\n")
    monkeypatch.setenv(SECRETS_DIR, str(tmp_path))
    assert SafeCelerySettings().broker_urls == (URL,)


def test_the_toml_file_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(CONFIG_FILE, str(write_toml(tmp_path / "other.toml", 'policy = "strict"\n')))
    assert SafeCelerySettings().policy == "strict"


def test_the_linters_table_is_not_the_services_business(tmp_path: Path) -> None:
    write_toml(tmp_path / "safecelery.toml", 'policy = "strict"\n[lint]\njobs = 1\n')
    assert SafeCelerySettings().policy == "strict"


@pytest.mark.parametrize("name", [CONFIG_FILE, SECRETS_DIR])
def test_a_place_that_does_not_exist_is_an_error(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "/does/not/exist")
    with pytest.raises(SettingsError, match=rf"{name} names '/does/not/exist'"):
        SafeCelerySettings()


# Unknown names ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("SAFECELERY_PROFIL", "SAFECELERY_PROFILE"),
        ("SAFECELERY_BROKER__URLS", "SAFECELERY_BROKER__URL"),
        ("SAFECELERY_BROKER_URL", "SAFECELERY_BROKER__URL"),
        ("safecelery_signing__kee", "SAFECELERY_SIGNING__KEY"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_right_name(
    monkeypatch: pytest.MonkeyPatch, name: str, nearest: str
) -> None:
    monkeypatch.setenv(name, PASSWORD)
    with pytest.raises(SettingsError, match=rf"{name} \(did you mean '{nearest}'\?\)") as caught:
        SafeCelerySettings()
    assert PASSWORD not in str(caught.value)


def test_an_unknown_secret_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "SAFECELERY_BROKER__PASSWORD").write_text(PASSWORD)
    monkeypatch.setenv(SECRETS_DIR, str(tmp_path))
    with pytest.raises(SettingsError, match=r"secrets directory.*\n  SAFECELERY_BROKER__PASSWORD") as caught:
        SafeCelerySettings()
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('profil = "production"', r"profil: unknown setting \(did you mean 'profile'\?\)"),
        ('[broker]\nurls = "x"', r"broker.urls: unknown setting \(did you mean 'url'\?\)"),
        ("[brokr]\n", r"brokr: unknown setting \(did you mean 'broker'\?\)"),
        ("[results]\nexpires = -1", r"results.expires: "),
        ('[broker]\ntls_floor = "TLSv1.0"', r"broker.tls_floor: "),
        ('profile = "staging"', r"profile: "),
        ('default_queue = ""', r"default_queue: "),
        ("broker = 5", r"broker: "),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, toml: str, said: str) -> None:
    write_toml(tmp_path / "safecelery.toml", toml)
    with pytest.raises(SettingsError, match=said):
        SafeCelerySettings()


def test_every_mistake_is_listed_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        SafeCelerySettings(profil="x", broker={"urls": PASSWORD}, results={"expires": PASSWORD})
    assert all(name in str(caught.value) for name in ("profil:", "broker.urls:", "results.expires:"))
    assert PASSWORD not in str(caught.value)


# Secrets ----------------------------------------------------------------------------------------------------------


def test_no_secret_is_printed() -> None:
    settings = SafeCelerySettings(broker={"url": URL}, results={"url": URL})
    shown = [repr(settings), str(settings), repr(settings.broker), str(settings.results), settings.model_dump_json()]
    shown.append(json.dumps(settings.model_dump(mode="json"), default=str))
    assert [text for text in shown if PASSWORD in text] == []


def test_settings_do_not_change() -> None:
    settings: Any = SafeCelerySettings()
    with pytest.raises(Exception, match="frozen"):
        settings.profile = "development"
    with pytest.raises(Exception, match="frozen"):
        settings.broker.ca_file = Path("/x")
