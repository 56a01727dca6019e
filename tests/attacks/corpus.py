"""All cases: a directory each, and the malformed messages, of which one file holds many."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.attacks.case import BROKERS, CASES, Case, CaseError, build, load
from tests.attacks.publishing import CONTROL, EVENTS

__all__ = ["MALFORMED", "corpus", "malformed"]

MALFORMED = Path(__file__).parent / "malformed.toml"
_MEMBERS = {
    "name", "what", "brokers", "signer", "item", "edits", "drops", "headers", "without", "clear", "body", "content",
    "properties",
}  # fmt: skip


def corpus() -> list[Case]:
    """Every case there is."""
    directories = sorted(path for path in CASES.iterdir() if path.is_dir())
    return [*(load(directory) for directory in directories), *malformed()]


def malformed() -> list[Case]:
    """The malformed messages: unsigned, and of a shape that no honest sender gives them."""
    document = tomllib.loads(MALFORMED.read_text(encoding="utf-8"))
    return [*map(_message, document["message"]), *map(_broadcast, document["broadcast"])]


def _known(row: Mapping[str, Any], members: set[str]) -> None:
    if odd := row.keys() - members:
        raise CaseError(f"{row.get('name')}: unknown {sorted(odd)}")


def _broadcast(row: Mapping[str, Any]) -> Case:
    _known(row, {"name", "what", "brokers", "exchange", "key", "raw", "text", "headers", "type"})
    step = {"exchange": {"control": CONTROL, "events": EVENTS}[row["exchange"]], "key": row.get("key", "")}
    if "raw" in row:
        step |= {"do": "raw", "text": row["raw"]}
    else:
        step |= {"do": "body", **{name: row[name] for name in ("text", "headers", "type")}}
    return build(
        {"brokers": row.get("brokers", list(BROKERS)), "needs": ["control"], "publish": [step]},
        f"broadcast_{row['name']}_harmless",
        row["what"],
    )


def _message(row: Mapping[str, Any]) -> Case:
    _known(row, _MEMBERS)
    wire: list[dict[str, Any]] = []
    if row.get("clear"):
        wire.append({"op": "clear-headers"})
    wire += [{"op": "set-header", "name": name, "value": value} for name, value in row.get("headers", {}).items()]
    wire += [{"op": "delete-header", "name": name} for name in row.get("without", ())]
    wire += [{"op": "set-property", "name": name, "value": value} for name, value in row.get("properties", {}).items()]
    if "body" in row:
        wire.append({"op": "set-body", "text": row["body"]})
    if "content" in row:
        wire.append({"op": "set-content", "type": row["content"][0], "encoding": row["content"][1]})
    wire += [{"op": "drop-item", "path": path} for path in row.get("drops", ())]
    wire += [{"op": "edit-item", "path": path, "value": value} for path, value in row.get("edits", ())]
    if "item" in row:
        wire.append({"op": "raw-item", "text": row["item"]})
    on_redis = any(name in row for name in ("item", "edits", "drops"))
    return build(
        {
            "brokers": row.get("brokers", ["redis"] if on_redis else list(BROKERS)),
            "message": {"task": "service.note", "signer": row.get("signer", "none"), "args": ["$CANARY"]},
            "wire": wire,
            "expect": {"reason": "envelope-missing"},
        },
        f"malformed_{row['name']}_rejected",
        row["what"],
    )
