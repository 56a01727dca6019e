"""YAML's flow collections, ``[a, \"b\"]`` and ``{a: 1}``, and its quotes."""

from __future__ import annotations

import re

from safecelery.lint.deploy.environment import HOLE
from safecelery.lint.deploy.yaml_nodes import Map, Node, Opaque, Scalar, Seq

__all__ = ["DOUBLE", "SINGLE", "Flow", "balance", "unquoted"]

_DEEPEST = 40
DOUBLE = r'"(?:[^"\\]|\\.)*"'
SINGLE = r"'(?:[^']|'')*'(?!')"


def unquoted(text: str) -> str:
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m.group(1), m.group(1)), text[1:-1])
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    return text


def balance(text: str, before: tuple[str, int]) -> tuple[str, int]:
    """The open quote and the number of open brackets behind the text, given those before it."""
    quote, depth = before
    escaped = False
    for char in text:
        if escaped:
            escaped = False
        elif quote:
            escaped = char == "\\" and quote == '"'
            if char == quote:
                quote = ""
        elif char in "\"'":
            quote = char
        else:
            depth += (char in "[{") - (char in "]}")
    return quote, depth


class Flow:
    """``[a, "b"]`` and ``{a: 1}`` on one line."""

    def __init__(self, text: str, line: int, anchors: dict[str, Node]) -> None:
        self.text = text
        self.line = line
        self.anchors = anchors

    def node(self, at: int, depth: int) -> tuple[Node, int]:
        at = self._blank(at)
        if depth > _DEEPEST or at >= len(self.text):
            return Opaque(self.line), len(self.text)
        char = self.text[at]
        if char == "[":
            return self._list(at + 1, depth)
        if char == "{":
            return self._map(at + 1, depth)
        if char in "\"'":
            match = re.compile(DOUBLE if char == '"' else SINGLE).match(self.text, at)
            if match is None:
                return Opaque(self.line), len(self.text)
            return Scalar(unquoted(match.group()), self.line, quoted=True), match.end()
        match = re.compile(r"(?:[^,\[\]{}:]|:(?=[^\s,\[\]{}])|\$\{[^{}]*\})*").match(self.text, at)
        end = match.end() if match else at
        word = self.text[at:end].strip()
        if word.startswith("*"):
            return self.anchors.get(word[1:], Opaque(self.line)), end
        return (Opaque(self.line) if word == HOLE else Scalar(word, self.line)), end

    def _blank(self, at: int) -> int:
        while at < len(self.text) and self.text[at] in " \t\n":
            at += 1
        return at

    def _list(self, at: int, depth: int) -> tuple[Node, int]:
        seq = Seq([], self.line)
        while True:
            at = self._blank(at)
            if at >= len(self.text):
                return Opaque(self.line), at
            if self.text[at] == "]":
                return seq, at + 1
            if self.text[at] == ",":
                at += 1
                continue
            before = at
            item, at = self.node(at, depth + 1)
            if isinstance(item, Opaque) and at < len(self.text):
                seq.templated = True
            seq.items.append(item)
            if at == before or (self._blank(at) < len(self.text) and self.text[self._blank(at)] not in ",]"):
                return Opaque(self.line), len(self.text)

    def _map(self, at: int, depth: int) -> tuple[Node, int]:
        found = Map({}, self.line)
        while True:
            at = self._blank(at)
            if at >= len(self.text):
                return Opaque(self.line), at
            if self.text[at] == "}":
                return found, at + 1
            if self.text[at] == ",":
                at += 1
                continue
            before = at
            key, at = self.node(at, depth + 1)
            at = self._blank(at)
            if not isinstance(key, Scalar) or at == before:
                return Opaque(self.line), len(self.text)
            value: Node = Scalar("", self.line)
            if at < len(self.text) and self.text[at] == ":":
                value, at = self.node(at + 1, depth + 1)
            found.items[key.text] = value
            found.lines[key.text] = self.line
            if self._blank(at) < len(self.text) and self.text[self._blank(at)] not in ",}":
                return Opaque(self.line), len(self.text)
