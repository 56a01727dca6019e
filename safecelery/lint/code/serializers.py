"""What decodes, evaluates or imports what a message says: serializers of a module, and tasks with their arguments."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body, keyword
from safecelery.lint.code.module import Module
from safecelery.lint.code.names import last_name, words
from safecelery.lint.code.site import Site
from safecelery.lint.code.values import first_argument, flows_from_parameter
from safecelery.lint.nodes import walk

__all__ = ["argument_runs", "serializer_setup"]

_WORTH_A_WALK: Final = ("insecure_serializers", "register_args", "setup_security", "celery_pydantic", "celery_typed",
                        "kombu", "control.time_limit", "SIGUSR1")  # fmt: skip
_UNPICKLE: Final = words("""
    pickle.loads pickle.load _pickle.loads cPickle.loads dill.loads dill.load cloudpickle.loads cloudpickle.load
    marshal.loads marshal.load jsonpickle.decode jsonpickle.loads joblib.load pandas.read_pickle yaml.unsafe_load
    yaml.full_load torch.load
    """)
_YAML: Final = "yaml.load"
_SAFE_YAML: Final = words("SafeLoader CSafeLoader BaseLoader CBaseLoader")
_EVALUATE: Final = words("eval exec compile")
_IMPORT: Final = words("""
    importlib.import_module __import__ django.utils.module_loading.import_string werkzeug.utils.import_string
    celery.utils.imports.symbol_by_name kombu.utils.imports.symbol_by_name pydoc.locate pkgutil.resolve_name
    """)
_RUN_CODE: Final = ("pickle", "python-serialize", "dill", "marshal")
_IMPORTING: Final = frozenset(("celery_pydantic", "celery_typed"))
_REGISTER: Final = words("kombu.serialization.register kombu.serialization.registry.register")
_HANDLERS: Final = words("signal.signal faulthandler.register")
_COMPARE: Final = words("compare_digest verify unsign")
_DECODER: Final = 2


def argument_runs(body: Body) -> Iterator[Site]:
    """``pickle.loads(base64.b64decode(payload))``, ``eval(formula)``, ``import_string(path)`` of a task's argument."""
    for call in body.calls:
        if not call.name or not (call.node.args or call.node.keywords):
            continue
        if call.name in _UNPICKLE or (call.name == _YAML and not _safe_yaml(call.node)):
            kind = "task-unpickles-argument"
        elif call.name in _EVALUATE:
            kind = "task-evaluates-argument"
        elif call.name in _IMPORT:
            kind = "task-imports-what-argument-names"
        else:
            continue
        given = call.node.args[0] if call.node.args else call.node.keywords[0].value
        if parameter := flows_from_parameter(body, given):
            yield Site(kind, call.node, f"{call.name}() of {parameter!r}")


def _safe_yaml(call: ast.Call) -> bool:
    loader = keyword(call, "Loader")
    if loader is None and len(call.args) > 1:
        loader = call.args[1]
    # Without a loader PyYAML 6 raises and 5 warns; neither is a place to stay.
    return loader is not None and last_name(loader) in _SAFE_YAML


def serializer_setup(module: Module) -> Iterator[Site]:
    """Serializers switched on or registered, imports of packages that import by name, limits changed by signal or
    remote control. Only modules whose text has one of a few words are walked."""
    if not any(word in module.source for word in _WORTH_A_WALK):
        return
    celery = "celery" in module.source
    for node in walk(module.tree):
        if isinstance(node, ast.Call):
            yield from _call(module, node, celery=celery)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
            for name in names:
                if name.partition(".")[0] in _IMPORTING and not getattr(node, "level", 0):
                    yield Site("payload-names-imports", node, f"imports {name}")
        elif isinstance(node, ast.Assign) and last_name(node.targets[0]).endswith("register_args"):
            parts = node.value.elts if isinstance(node.value, ast.Tuple | ast.List) else []
            if found := next((name for part in parts if (name := _runs_code(module, part))), ""):
                yield Site("code-running-serializer-registered", node, f"decodes with {found}")


def _call(module: Module, call: ast.Call, *, celery: bool) -> Iterator[Site]:
    name, attr = module.names.resolve(call.func), last_name(call.func)
    if attr == "enable_insecure_serializers":
        choices = first_argument(call, "choices")
        if choices is None or _names_unsafe(choices):
            yield Site("insecure-serializers-enabled", call, "enable_insecure_serializers()")
    elif attr == "disable_insecure_serializers":
        if _names_unsafe(first_argument(call, "allowed")):
            yield Site("insecure-serializers-enabled", call, "disable_insecure_serializers() allows pickle")
    elif name == "kombu.serialization.registry.enable":
        if _names_unsafe(first_argument(call, "name")):
            yield Site("insecure-serializers-enabled", call, "registry.enable() of pickle")
    elif name in _REGISTER:
        decoder = keyword(call, "decoder") or (call.args[_DECODER] if len(call.args) > _DECODER else None)
        if decoder is not None and (found := _runs_code(module, decoder)):
            signed = _checks_signature(module, decoder)
            detail = f"decodes with {found}{', after a look at a signature' if signed else ''}"
            yield Site("code-running-serializer-registered", call, detail, certain=not signed)
    elif attr == "setup_security":
        if _names_unsafe(keyword(call, "serializer")):
            yield Site("signing-with-code-running-serializer", call, "setup_security(serializer='pickle')")
        elif _names_unsafe(first_argument(call, "allowed_serializers")):
            yield Site("signing-with-code-running-serializer", call, "setup_security(allowed_serializers=['pickle'])")
    elif attr == "time_limit" and isinstance(call.func, ast.Attribute) and last_name(call.func.value) == "control":
        yield Site("time-limit-changed-by-remote-control", call, "control.time_limit()")
    elif celery and name in _HANDLERS and call.args and last_name(call.args[0]) == "SIGUSR1":
        yield Site("soft-limit-signal-taken", call, f"{name}(SIGUSR1)")


def _names_unsafe(node: ast.expr | None) -> bool:
    """A literal, or a list of them, that names a format which runs code."""
    if node is None:
        return False
    parts = node.elts if isinstance(node, ast.List | ast.Tuple | ast.Set) else [node]
    texts = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return any(word in text.lower() for text in texts for word in _RUN_CODE)


def _runs_code(module: Module, decoder: ast.expr) -> str:
    """The name of what in this decoder runs code; "" if nothing is seen to."""
    name = module.names.resolve(decoder)
    if name in _UNPICKLE or name == _YAML or name in _EVALUATE:
        return name
    if isinstance(decoder, ast.Name):
        for statement in module.tree.body:
            if isinstance(statement, ast.FunctionDef) and statement.name == decoder.id:
                return _calls_code(module, statement)
    return _calls_code(module, decoder) if isinstance(decoder, ast.Lambda) else ""


def _checks_signature(module: Module, decoder: ast.expr) -> bool:
    """The decoder compares a digest first: whether it does so rightly cannot be told."""
    if not isinstance(decoder, ast.Name):
        return False
    for statement in module.tree.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == decoder.id:
            return any(last_name(node) in _COMPARE for node in ast.walk(statement) if isinstance(node, ast.Call))
    return False


def _calls_code(module: Module, function: ast.AST) -> str:
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            name = module.names.resolve(node.func)
            if name in _UNPICKLE or name in _EVALUATE or name in _IMPORT or (name == _YAML and not _safe_yaml(node)):
                return name
    return ""
