"""The format for people: each finding with its source line, where its values came from, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from safecelery.lint.finding import Finding, LintResult
from safecelery.lint.fix.table import option_for
from safecelery.lint.report.characters import visible
from safecelery.lint.report.options import RenderOptions
from safecelery.lint.report.source import Sources
from safecelery.lint.report.style import Paint, level_word, painter
from safecelery.lint.report.summary import footer, unread_lines
from safecelery.lint.report.together import together

__all__ = ["render"]


def render(result: LintResult, options: RenderOptions) -> Iterator[str]:
    """Blocks in the order of the findings, then what could not be read, then the summary."""
    paint = painter(options.colour)
    sources = Sources(options.base)
    for finding in together(result.findings):
        yield from _block(finding, options, sources, paint)
        yield "\n"
    if result.unread:
        yield from unread_lines(result, paint)
        yield "\n"
    yield from footer(result, options)


def _block(finding: Finding, options: RenderOptions, sources: Sources, paint: Paint) -> Iterator[str]:
    word = level_word(finding)
    title = f"{word}[{visible(finding.code)}]"
    first, *rest = _wrapped(f"{title}: {visible(finding.message)}", options.width, 4)
    yield f"{paint(word, title)}{paint('bold', first[len(title) :])}\n"
    for line in rest:
        yield f"{paint('bold', line)}\n"
    excerpt = sources.excerpt(finding.path, finding.line, finding.column) if options.show_source else None
    margin = " " * len(str(finding.line)) if excerpt else " "
    place = f"{visible(finding.path)}:{finding.line}:{finding.column}" if finding.line else visible(finding.path)
    about = f"{visible(finding.name)}, {finding.severity}"
    yield f"{margin}{paint('gutter', '-->')} {paint('place', place)}  {paint('dim', about)}\n"
    bar = paint("gutter", "|")
    if excerpt:
        yield f"{margin} {bar}\n{paint('gutter', str(finding.line))} {bar} {excerpt.text}\n"
        mark = " " * excerpt.indent + paint(word, "^" * excerpt.length)
        yield f"{margin} {bar} {mark}\n" if excerpt.length else f"{margin} {bar}\n"
    equals = f"{margin} {paint('gutter', '=')} "
    chain = [visible(str(link) if link.file else link.what) for link in finding.because]
    if finding.env:
        chain.append(f"unless the environment sets {', '.join(visible(name) for name in finding.env)}")
    for number, link in enumerate(chain):
        label = "because: " if number == 0 else "         "
        yield from _labelled(equals, label, link, options.width, paint, "dim")
    yield from _labelled(equals, "help: ", visible(finding.fix), options.width, paint, "help")
    if finding.fixable:
        yield from _labelled(
            equals, "fix: ", f"safecelery lint {option_for(finding.code)} can write it", options.width, paint, "help"
        )
    more = f"safecelery lint --explain {visible(finding.code)}"
    yield from _labelled(equals, "more: ", more, options.width, paint, "dim")


def _labelled(head: str, label: str, text: str, width: int, paint: Paint, style: str) -> Iterator[str]:
    indent = " " * len(label)
    for number, line in enumerate(_wrapped(text, width - 6 - len(label) if width else 0, 0)):
        shown = paint(style, label) if number == 0 else indent
        yield f"{head}{shown}{line}\n"


def _wrapped(text: str, width: int, indent: int) -> list[str]:
    """The text in lines; words are never broken, so that names and paths can still be found and clicked on."""
    if width <= 0 or len(text) <= width:
        return [text]
    from textwrap import wrap

    return wrap(
        text,
        max(width, 30),
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
    ) or [text]
