"""What kind of value an expression is, as far as its own text and the assignments above it tell."""

from __future__ import annotations

import ast
from typing import Final

from safecelery.lint.code.body import Body, keyword
from safecelery.lint.code.names import last_name, words

__all__ = [
    "DISPATCH",
    "SECRET_NAMES",
    "chain_of",
    "flows_from_parameter",
    "is_dispatch",
    "is_file",
    "is_instance",
    "is_none",
    "is_queryset",
    "is_result",
    "is_true",
    "secret_name",
]

DISPATCH: Final = frozenset(("delay", "apply_async", "send_task"))
"""Methods that publish a message at once."""

_CANVAS: Final = frozenset(("group", "chord", "chain", "chunks", "xmap", "xstarmap"))
_RESULTS: Final = frozenset(("AsyncResult", "GroupResult", "ResultSet"))

_ONE: Final = words(
    "get create first last latest earliest aget acreate afirst alast get_or_create update_or_create get_by_id"
)
_MANY: Final = words("""
    all filter exclude order_by select_related prefetch_related annotate distinct iterator values values_list using
    select_for_update only defer union difference intersection reverse none
    """)
_NOT_INSTANCES: Final = frozenset(("values", "values_list", "dates", "datetimes"))

SECRET_NAMES: Final = words("""
    password passwd passphrase secret secret_key client_secret api_key apikey private_key access_token refresh_token
    auth_token api_token bearer_token id_token session_token reset_token credit_card creditcard card_number cvv cvc
    credentials token
    """)
_SECRET_ENDS: Final = tuple(
    f"_{name}" for name in sorted(SECRET_NAMES - {"token", "secret", "credentials", "id_token", "cvc"})
)


def is_none(node: ast.expr | None) -> bool:
    """``None`` as written."""
    return isinstance(node, ast.Constant) and node.value is None


def is_true(node: ast.expr | None) -> bool:
    """``True`` as written."""
    return isinstance(node, ast.Constant) and node.value is True


def chain_of(node: ast.expr) -> list[str]:
    """The names of a chain of calls, first to last: ``Order.objects.get(pk=1)`` -> Order, objects, get."""
    names: list[str] = []
    while True:
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript):
            node = node.value
        else:
            break
    if isinstance(node, ast.Name):
        names.append(node.id)
    names.reverse()
    return names


def is_dispatch(node: ast.AST) -> bool:
    """A call that publishes a message: ``x.delay(...)``."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in DISPATCH


def is_result(body: Body, node: ast.expr, depth: int = 0) -> bool:
    """The handle of a published task: ``x.delay()``, ``AsyncResult(id)``, ``group(...)()``, or a name bound to one."""
    value = body.value_of(node)
    if is_dispatch(value):
        return True
    if isinstance(value, ast.Call):
        if isinstance(value.func, ast.Call):
            return last_name(value.func) in _CANVAS and "celery" in body.names.resolve(value.func.func)
        return last_name(value.func) in _RESULTS
    if depth > 2:
        return False
    if isinstance(value, ast.Starred):  # for result in results
        return _holds_results(body, value.value, depth + 1)
    if isinstance(value, ast.Subscript):
        return _holds_results(body, value.value, depth + 1)
    return False


def _holds_results(body: Body, node: ast.expr, depth: int) -> bool:
    value = body.value_of(node)
    if isinstance(value, ast.ListComp | ast.GeneratorExp):
        return is_dispatch(value.elt)
    if isinstance(value, ast.List | ast.Tuple):
        if not value.elts and isinstance(node, ast.Name):
            return any(
                call.attr == "append"
                and isinstance(call.node.func, ast.Attribute)
                and isinstance(call.node.func.value, ast.Name)
                and call.node.func.value.id == node.id
                and bool(call.node.args)
                and is_result(body, call.node.args[0], depth)
                for call in body.calls
            )
        return bool(value.elts) and all(is_result(body, element, depth) for element in value.elts)
    return False


def is_queryset(body: Body, node: ast.expr) -> bool:
    """A Django query that has not been turned into a list."""
    value = body.value_of(node)
    chain = chain_of(value)
    if not isinstance(value, ast.Call) or len(chain) < 3 or "objects" not in chain[:-1]:
        return False
    return _MANY.issuperset(chain[chain.index("objects") + 1 :])  # a method of the project's own may return anything


def is_instance(body: Body, node: ast.expr, depth: int = 0) -> bool:
    """A model object: ``Order.objects.get(...)``, ``session.get(Order, 1)``, an element of a query."""
    value = body.value_of(node)
    if isinstance(value, ast.Starred):
        looped = body.value_of(value.value)
        return is_queryset(body, looped) and not _NOT_INSTANCES.intersection(chain_of(looped))
    if not isinstance(value, ast.Call):
        return False
    if last_name(value.func) == "get_object_or_404":
        return True
    chain = chain_of(value)
    if len(chain) > 2 and chain[-1] in _ONE and "objects" in chain[:-1]:
        return _MANY.difference(_NOT_INSTANCES).issuperset(chain[chain.index("objects") + 1 : -1])
    # SQLAlchemy: session.query(Order).first(), session.get(Order, 1)
    if len(chain) < 2 or "session" not in "".join(chain[:-1]).lower() or "request" in chain:
        return False
    if "query" in chain and chain[-1] in ("get", "first", "one", "one_or_none"):
        return _whole_model(value)
    return chain[-1] == "get" and len(value.args) >= 2 and last_name(value.args[0])[:1].isupper()


def _whole_model(node: ast.expr) -> bool:
    """``session.query(Order)`` and not ``session.query(Order.id)``."""
    while isinstance(node, ast.Call | ast.Attribute):
        if isinstance(node, ast.Call):
            if last_name(node.func) == "query":
                return len(node.args) == 1 and isinstance(node.args[0], ast.Name) and node.args[0].id[:1].isupper()
            node = node.func
        else:
            node = node.value
    return False


def is_file(body: Body, node: ast.expr) -> bool:
    """An open file."""
    value = body.value_of(node)
    if not isinstance(value, ast.Call):
        return False
    return body.names.resolve(value.func) in (
        "open",
        "io.open",
        "tempfile.NamedTemporaryFile",
        "tempfile.TemporaryFile",
    )


def secret_name(node: ast.expr) -> str:
    """The name under which a secret is handed on; "" if it does not sound like one."""
    if isinstance(node, ast.Name):
        name = node.id
    elif isinstance(node, ast.Attribute):
        name = node.attr
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        name = node.slice.value
    else:
        return ""
    return name if sounds_secret(name) else ""


def sounds_secret(name: str) -> bool:
    """``password``, ``user_password``; not ``password_reset_url`` nor ``page_token``."""
    lowered = name.lower().lstrip("_")
    return lowered in SECRET_NAMES or lowered.endswith(_SECRET_ENDS)


_SAFE_TYPES: Final = words("int float bool complex UUID date datetime Decimal time timedelta")
_DECODERS: Final = words(
    "b64decode b64encode a85decode b85decode unhexlify fromhex bytes bytearray str decompress BytesIO StringIO join"
    " format memoryview loads dumps"
)
_STRING_METHODS: Final = words(
    "encode decode strip lstrip rstrip format join replace lower upper read getvalue get split copy"
)


def flows_from_parameter(body: Body, node: ast.expr, depth: int = 0) -> str:
    """The parameter whose *content* the expression carries, decoded or put into a text; "" if none.

    A look-up by a parameter (``cache.get(key)``) does not carry it, nor does ``int(x)``.
    """
    if depth > 12:
        return ""
    again = depth + 1
    if isinstance(node, ast.Name):
        value = body.value_of(node)
        if value is not node:
            return flows_from_parameter(body, value, again)
        arguments = body.function.args
        special = {argument.arg for argument in (arguments.vararg, arguments.kwarg) if argument is not None}
        if node.id in special:
            return node.id
        for position, parameter in enumerate(body.parameters):
            if parameter.arg == node.id:
                own = position == 0 and parameter.arg in ("self", "cls", "task")
                kind = parameter.annotation
                plain = kind is not None and last_name(kind) in _SAFE_TYPES
                return "" if own or plain else node.id
        return ""
    parts: list[ast.expr] = []
    if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred | ast.Await | ast.FormattedValue):
        parts = [node.value]
    elif isinstance(node, ast.JoinedStr):
        parts = [value for value in node.values if isinstance(value, ast.FormattedValue)]
    elif isinstance(node, ast.BinOp):
        parts = [node.left, node.right]
    elif isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        parts = node.elts
    elif isinstance(node, ast.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, ast.Dict):
        parts = node.values
    elif isinstance(node, ast.Call):
        name = last_name(node.func)
        if isinstance(node.func, ast.Attribute) and name in _STRING_METHODS:
            parts = [node.func.value]
        if name in _DECODERS:
            parts = [*parts, *node.args, *(entry.value for entry in node.keywords)]
    return next((found for part in parts if (found := flows_from_parameter(body, part, again))), "")


def first_argument(call: ast.Call, name: str) -> ast.expr | None:
    """The first positional argument, or the one of that name."""
    return call.args[0] if call.args else keyword(call, name)
