"""Whatever text a finding holds, every format stays what it is."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safecelery.lint.finding import Because, Finding, LintResult, TaskRow, Unread
from safecelery.lint.report import FORMATS, RenderOptions, render
from safecelery.policy.document import Level
from safecelery.policy.rule import Severity

HOSTILE = (
    "]]>",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></script><!--",
    "&amp;",
    "\x1b[2J\x1b]0;owned\x07",
    "\x9b31m",
    "\u202egpj.exe",
    "a\r\nb",
    "a\u2028b",
    "::error file=x::y",
    "%0A%25",
    "${{ secrets.X }}",
    "\ud800",
    "\udcff",
    "\x00",
    "\ufffe",
    "{0} [link](1)",
    "'; --",
    "\\",
    "\t",
    "",
    "\u65e5\u672c\u8a9e",
    "e\u0301",
)
TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(categories=None), max_size=20),
    st.lists(st.sampled_from(HOSTILE), max_size=3).map("".join),
)
CODES = st.one_of(st.sampled_from(("SFC401", "SFC002", "SFC106", "SFC999")), TEXT)
LINES = st.integers(0, 10_000)
FINDINGS = st.builds(
    Finding,
    code=CODES,
    name=TEXT,
    severity=st.sampled_from(Severity),
    level=st.sampled_from((Level.ERROR, Level.WARN)),
    message=TEXT,
    fix=TEXT,
    path=TEXT,
    line=LINES,
    column=st.integers(1, 200),
    subject=TEXT,
    because=st.lists(st.builds(Because, TEXT, LINES, TEXT), max_size=2).map(tuple),
    env=st.lists(TEXT, max_size=2).map(tuple),
    fixable=st.booleans(),
    rule=CODES,
    blocked_by=TEXT,
    covers=st.lists(st.tuples(CODES, TEXT, TEXT), max_size=2).map(tuple),
    cause=st.none() | st.builds(Because, TEXT, LINES, TEXT),
    reason=TEXT,
    waived=st.booleans(),
)
MANY = st.lists(FINDINGS, max_size=3).map(tuple)
RESULTS = st.builds(
    LintResult,
    findings=MANY,
    undecided=MANY,
    suppressed=MANY,
    baselined=MANY,
    unread=st.lists(st.builds(Unread, TEXT, LINES, TEXT), max_size=2).map(tuple),
    tasks=st.lists(st.builds(TaskRow, name=TEXT, path=TEXT, line=LINES, app=TEXT), max_size=3).map(tuple),
    rules=st.lists(st.sampled_from(("SFC401", "SFC402")), unique=True).map(tuple),
    policy=TEXT,
    files=st.integers(0, 9),
    notes=st.lists(TEXT, max_size=2).map(tuple),
)
some = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCHEMAS = Path(__file__).parent / "schemas"


def schema(name: str) -> Any:
    text = (SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))


SCHEMA = {name: schema(name) for name in ("sarif", "gitlab", "report")}


def made(name: str, result: LintResult, **options: Any) -> str:
    return "".join(render(name, result, RenderOptions(base="/nonexistent", **options)))


@given(RESULTS, st.booleans(), st.sampled_from((0, 40, 100)), st.sampled_from(("full", "concise", "grouped")))
@some
def test_nothing_but_our_colours_acts_on_a_terminal(result: LintResult, colour: bool, width: int, name: str) -> None:
    text = made(name, result, colour=colour, width=width, statistics=True)
    bare = re.sub(r"\x1b\[[0-9;]+m", "", text) if colour else text
    unseen = [c for c in bare if not c.isprintable() and c not in "\n " and c.isascii()]
    assert not unseen
    assert not re.search("[\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\u200b-\u200f\ud800-\udfff]", bare)
    text.encode("utf-8")


@given(RESULTS)
@some
def test_concise_has_one_line_for_each_finding_and_each_unread_file(result: LintResult) -> None:
    lines = made("concise", result, summary=False).splitlines()
    assert len(lines) == len(result.findings) + len(result.unread)


@given(RESULTS)
@some
def test_json_parses_back_to_every_entry(result: LintResult) -> None:
    text = made("json", result)
    assert text.isascii()
    document = json.loads(text)
    SCHEMA["report"].validate(document)
    for key in ("findings", "undecided", "suppressed", "baselined", "unread", "tasks"):
        assert len(document[key]) == len(getattr(result, key))
    json.dumps(document, ensure_ascii=False).encode("utf-8")


@given(RESULTS)
@some
def test_json_lines_has_an_object_on_each_line(result: LintResult) -> None:
    entries = [json.loads(line) for line in made("json-lines", result).splitlines()]
    lists = (result.findings, result.undecided, result.suppressed, result.baselined, result.unread)
    assert len(entries) == sum(map(len, lists)) + 1
    assert entries[-1]["kind"] == "summary"
    assert all(isinstance(entry, dict) for entry in entries)


@given(RESULTS)
@some
def test_sarif_keeps_to_its_schema(result: LintResult) -> None:
    # No code may be empty in SARIF; the engine never makes one.
    result = named(result)
    document = json.loads(made("sarif", result))
    SCHEMA["sarif"].validate(document)
    run = document["runs"][0]
    assert len(run["results"]) == sum(
        map(len, (result.findings, result.undecided, result.suppressed, result.baselined))
    )
    for entry in run["results"]:
        assert run["tool"]["driver"]["rules"][entry["ruleIndex"]]["id"] == entry["ruleId"]


@given(RESULTS)
@some
def test_github_has_exactly_one_command_for_each_entry(result: LintResult) -> None:
    text = made("github", result)
    lines = text.split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(result.findings) + len(result.unread)
    for line in lines:
        assert re.fullmatch(r"::(error|warning) file=[^:,]*(,line=\d+)?(,col=\d+)?,title=[^:,]*::[^\r\n]*", line)
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", line)


@given(RESULTS)
@some
def test_gitlab_keeps_to_its_schema_and_tells_issues_apart(result: LintResult) -> None:
    issues = json.loads(made("gitlab", result))
    SCHEMA["gitlab"].validate(issues)
    assert len(issues) == len(result.findings) + len(result.undecided) + len(result.unread)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


@given(RESULTS)
@some
def test_junit_is_xml_whose_counts_are_right(result: LintResult) -> None:
    root = ET.fromstring(made("junit", result).encode("utf-8"))
    lists = (result.findings, result.undecided, result.suppressed, result.baselined, result.unread)
    total = sum(map(len, lists))
    assert len(root.findall(".//testcase")) == max(total, 1) == int(root.get("tests", ""))
    for outcome, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert len(root.findall(f".//{outcome}")) == int(root.get(count, ""))
    assert len(root.findall(".//failure")) == sum(finding.level is Level.ERROR for finding in result.findings)


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value or "" for name, value in attrs if name == "id"]


@given(RESULTS)
@some
def test_html_has_no_element_or_attribute_out_of_a_finding(result: LintResult) -> None:
    text = made("html", result)
    text.encode("utf-8")
    page = Page()
    page.feed(text)
    assert page.tags.count("script") == page.tags.count("style") == 1
    assert not {"img", "iframe", "link", "object", "embed", "base"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "style", "action")]
    assert all(value is None or value.startswith("#") for name, value in page.attributes if name == "href")
    anchors = [value for value in page.ids if re.fullmatch(r"[fux]\d+", value)]
    assert (
        len(anchors)
        == len(set(anchors))
        == sum(map(len, (result.findings, result.undecided, result.suppressed, result.baselined)))
    )


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_result_has_a_report(name: str) -> None:
    assert made(name, LintResult()) or name == "github"  # where nothing to say is no command


def named(result: LintResult) -> LintResult:
    from dataclasses import replace

    def each(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
        return tuple(replace(item, code=item.code or "SFC999") for item in findings)

    return replace(
        result,
        findings=each(result.findings),
        undecided=each(result.undecided),
        suppressed=each(result.suppressed),
        baselined=each(result.baselined),
    )
