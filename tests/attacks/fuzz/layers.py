"""The layers of a message at which it is changed, each with its own way to take it apart and put it together."""

from __future__ import annotations

import base64
import copy
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from safecelery.keys import base64url
from safecelery.keys.private import PrivateKey
from safecelery.message.codec import join, split
from safecelery.message.pae import pae
from safecelery.message.seal import HEADER
from tests.attacks.fuzz.samples import Sample
from tests.attacks.fuzz.values import canvas_signature, change_bytes, change_tree, odd_value

__all__ = ["LAYERS", "Forgery", "Mutant", "mutate"]


@dataclass(slots=True)
class Mutant:
    """A message on its way to a worker."""

    sample: Sample
    item: Any
    """kombu's envelope, as JSON can hold it; or bytes that need not be JSON."""
    queue: str
    layers: list[str] = field(default_factory=list)
    resigned: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Claims and bodies that a trusted key has signed for the mutant: its holder may send these, within its grants."""

    @property
    def wire(self) -> bytes:
        """What stands in the list of Redis."""
        return self.item if isinstance(self.item, bytes) else json.dumps(self.item).encode()


@dataclass(frozen=True, slots=True)
class Forgery:
    """What the attacker has: other messages, a key of a stranger, and one that is trusted with a few things."""

    samples: Sequence[Sample]
    stranger: PrivateKey
    insider: PrivateKey


Layer = Callable[[Mutant, Sample, Forgery, Random], None]


def _item_bytes(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    mutant.item = change_bytes(mutant.wire, json.dumps(other.item).encode(), random)


def _item_tree(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    mutant.item = change_tree(mutant.item, other.item, random)


def _headers(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    mutant.item["headers"] = change_tree(mutant.item["headers"], other.item["headers"], random)


def _properties(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    mutant.item["properties"] = change_tree(mutant.item["properties"], other.item["properties"], random)


def _put_body(mutant: Mutant, body: bytes) -> None:
    mutant.item["body"] = base64.b64encode(body).decode()


def _body(mutant: Mutant) -> bytes:
    return base64.b64decode(mutant.item["body"])


def _body_bytes(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    _put_body(mutant, change_bytes(_body(mutant), other.body, random))


def _body_tree(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    _put_body(mutant, json.dumps(change_tree(json.loads(_body(mutant)), _tree(other.body), random)).encode())


def _tree(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return odd_value(Random(len(body)))


def _envelope_text(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    headers = mutant.item["headers"]
    data = change_bytes(headers[HEADER].encode(), other.item["headers"][HEADER].encode(), random)
    headers[HEADER] = data.decode("latin-1")


def _claims_bytes(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    claims, signature = split(mutant.item["headers"][HEADER])
    mutant.item["headers"][HEADER] = join(change_bytes(claims, other.signed[0], random), signature)


def _claims_tree(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    claims, signature = split(mutant.item["headers"][HEADER])
    changed = change_tree(json.loads(claims), other.claims, random)
    mutant.item["headers"][HEADER] = join(json.dumps(changed).encode(), signature)


def _signature(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    claims, signature = split(mutant.item["headers"][HEADER])
    theirs = split(other.item["headers"][HEADER])[1]
    mutant.item["headers"][HEADER] = join(claims, change_bytes(signature, theirs, random))


def _splice(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    """A whole part of another message."""
    what = random.choice(["body", "headers", "properties", "claims", "signature", "envelope"])
    headers = mutant.item["headers"]
    if what in ("body", "headers", "properties"):
        mutant.item[what] = copy.deepcopy(other.item[what])
        return
    ours, theirs = split(headers[HEADER]), split(other.item["headers"][HEADER])
    parts = {"claims": (theirs[0], ours[1]), "signature": (ours[0], theirs[1]), "envelope": theirs}
    headers[HEADER] = join(*parts[what])


def _spelling(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    """The same bytes in another spelling of base64."""
    claims, signature = split(mutant.item["headers"][HEADER])
    spelt = random.choice([
        f"{base64.b64encode(claims).decode()}.{base64.b64encode(signature).decode()}",
        f"{base64url.encode(claims)}=.{base64url.encode(signature)}",
        f"{base64url.encode(claims)}.{base64url.encode(signature)}\n",
        f" {base64url.encode(claims)}.{base64url.encode(signature)}",
        f"{base64url.encode(claims)}.{base64url.encode(signature)[:-1]}_",
        f"{base64url.encode(claims)}..{base64url.encode(signature)}",
    ])  # fmt: skip
    mutant.item["headers"][HEADER] = spelt


def _queue(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    mutant.queue = {"orders": "other", "other": "orders"}[mutant.queue]


def _resign(mutant: Mutant, key: PrivateKey, kid: str, other: Sample, random: Random) -> tuple[bytes, bytes]:
    """Changed claims, or a changed body, with a signature that holds for the key."""
    claims: Any = {**json.loads(split(mutant.item["headers"][HEADER])[0]), "kid": kid}
    body = _body(mutant)
    for _ in range(random.choice([0, 1, 1, 1, 2, 3])):
        what = random.choice(["claims", "hdr", "hdr", "props", "body", "canvas", "canvas", "compression"])
        if what in ("hdr", "props") and isinstance(claims, dict) and isinstance(claims.get(what), dict):
            claims[what] = change_tree(claims[what], other.claims[what], random)
        elif what == "compression" and isinstance(claims, dict):
            claims["cmp"] = random.choice(["application/x-gzip", "application/x-lzma", "application/zstd", "", 5])
        elif what == "canvas":
            body = _with_canvas(body, random)
        elif what == "body":
            body = json.dumps(change_tree(_tree(body), _tree(other.body), random)).encode()
        else:
            claims = change_tree(claims, other.claims, random)
    if isinstance(claims, dict) and random.random() < 0.7:
        claims |= {"kid": kid}
    text = json.dumps(claims, separators=(",", ":")).encode()
    named = claims.get("typ") if isinstance(claims, dict) else None
    typ = named if isinstance(named, str) and named.isascii() else "task"
    mutant.item["headers"][HEADER] = join(text, key.sign(pae(typ, text, body)))
    _put_body(mutant, body)
    return text, body


def _with_canvas(body: bytes, random: Random) -> bytes:
    """One more signature, to whatever it may lead, at one of the places where Celery looks for some."""
    tree = _tree(body)
    if not (isinstance(tree, list) and len(tree) == 3 and isinstance(tree[2], dict)):
        return body
    link: Any = canvas_signature(random)
    for _ in range(random.choice([0, 0, 1, 2])):
        outer: Any = canvas_signature(random)
        name = random.choice(["link", "link_error", "chord", "chain"])
        outer["options"] = {name: random.choice([link, [link]])}
        if random.random() < 0.5:
            outer["kwargs"] = {random.choice(["tasks", "header", "body", "task", "it"]): random.choice([link, [link]])}
        link = outer
    tree[2][random.choice(["callbacks", "errbacks", "chain", "chord"])] = random.choice([link, [link], [link]])
    return json.dumps(tree).encode()


def _stranger(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    _resign(mutant, forgery.stranger, random.choice([forgery.stranger.kid, forgery.insider.kid]), other, random)


def _insider(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    """Somebody whom the worker trusts, but not with everything, signs what he likes."""
    mutant.resigned.append(_resign(mutant, forgery.insider, forgery.insider.kid, other, random))


def _age(mutant: Mutant, other: Sample, forgery: Forgery, random: Random) -> None:
    claims, signature = split(mutant.item["headers"][HEADER])
    tree = json.loads(claims)
    tree |= {"iat": int(time.time()) + random.choice([-(10**6), 10**6, 0]), "exp": 2 ** random.choice([40, 53, 60])}
    mutant.item["headers"][HEADER] = join(json.dumps(tree).encode(), signature)


LAYERS: dict[str, Layer] = {
    "item, as bytes": _item_bytes,
    "item, as JSON": _item_tree,
    "headers": _headers,
    "properties": _properties,
    "body, as bytes": _body_bytes,
    "body, as JSON": _body_tree,
    "envelope, as text": _envelope_text,
    "envelope, spelling": _spelling,
    "claims, as bytes": _claims_bytes,
    "claims, as JSON": _claims_tree,
    "claims, times": _age,
    "signature": _signature,
    "part of another message": _splice,
    "queue": _queue,
    "signed by a stranger": _stranger,
    "signed by an insider": _insider,
}


def mutate(forgery: Forgery, random: Random) -> Mutant:
    """A message with one to four changes. A layer that an earlier change has destroyed is left alone."""
    sample = random.choice(forgery.samples)
    mutant = Mutant(sample, copy.deepcopy(sample.item), sample.queue)
    # Half of them get past the signature: behind it are the checks with more to decide.
    names = (
        ["signed by an insider"]
        if random.random() < 0.5
        else random.choices(list(LAYERS), k=random.choice([1, 1, 1, 2, 3, 4]))
    )
    for name in names:
        try:
            LAYERS[name](mutant, random.choice(forgery.samples), forgery, random)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError):
            continue
        mutant.layers.append(name)
    return mutant
