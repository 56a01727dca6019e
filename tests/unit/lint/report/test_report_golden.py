"""One realistic result in every format, compared with a file.

``SAFECELERY_WRITE_GOLDEN=1 pytest tests/unit/lint/report/test_report_golden.py`` writes the files anew: read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from safecelery.lint.report import FORMATS, RenderOptions, render, rulebook
from tests.unit.lint.report.report_samples import PAGE, known_rule, shop_result, write_sources

GOLDEN = Path(__file__).parent / "golden"
SUFFIXES = {"json": "json", "json-lines": "jsonl", "sarif": "sarif", "gitlab": "json", "junit": "xml", "html": "html"}


@pytest.mark.parametrize(
    ("name", "format_name", "options"),
    [
        *((name, name, RenderOptions(statistics=True, width=100)) for name in FORMATS),
        ("full-colour", "full", RenderOptions(colour=True, width=72, statistics=True)),
    ],
)
def test_a_realistic_result_is_rendered_as_before(
    name: str, format_name: str, options: RenderOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rulebook, "catalogued", known_rule)
    monkeypatch.setattr(rulebook, "page", lambda code: PAGE.format(code=code))
    monkeypatch.setattr(rulebook, "per_task", lambda code: code in ("SFC106", "SFC401", "SFC405", "SFC601"))
    for module in ("sarif", "json_document", "html_page"):
        monkeypatch.setattr(f"safecelery.lint.report.{module}.__version__", "1.2.3")
    write_sources(tmp_path)
    from dataclasses import replace

    made = "".join(render(format_name, shop_result(), replace(options, base=str(tmp_path))))
    if format_name == "html":  # the style and the script are files of their own already
        made = made[: made.index("<style>")] + made[made.index("</style>") : made.rindex("<script>")]
        made = "\n".join(line for line in made.splitlines() if "Content-Security-Policy" not in line) + "\n"
    file = GOLDEN / f"{name}.{SUFFIXES.get(format_name, 'txt')}"
    if os.environ.get("SAFECELERY_WRITE_GOLDEN"):
        file.write_text(made, encoding="utf-8")
    assert made == file.read_text(encoding="utf-8")


def test_no_format_prints_a_password(tmp_path: Path) -> None:
    write_sources(tmp_path)
    for name in FORMATS:
        assert "correct-horse" not in "".join(render(name, shop_result(), RenderOptions(base=str(tmp_path)))), name
