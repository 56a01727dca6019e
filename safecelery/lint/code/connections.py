"""Connections made anew at each run, files left behind, results too large for a result backend."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from safecelery.lint.code.body import Body, keyword
from safecelery.lint.code.names import last_name, words
from safecelery.lint.code.site import Site
from safecelery.lint.code.values import chain_of, is_file, is_queryset, is_true

__all__ = ["connection_per_call", "large_result", "temporary_file_left"]

_CONNECTS: Final = words("""
    redis.Redis redis.StrictRedis redis.from_url redis.Redis.from_url redis.StrictRedis.from_url redis.client.Redis
    redis.ConnectionPool redis.asyncio.Redis redis.asyncio.from_url valkey.Valkey valkey.from_url
    psycopg2.connect psycopg.connect psycopg2.pool.SimpleConnectionPool pymongo.MongoClient MySQLdb.connect
    pymysql.connect
    mysql.connector.connect sqlalchemy.create_engine sqlalchemy.engine.create_engine
    sqlalchemy.ext.asyncio.create_async_engine
    elasticsearch.Elasticsearch opensearchpy.OpenSearch pymemcache.client.base.Client
    cassandra.cluster.Cluster pika.BlockingConnection
    """)
_REMOVES: Final = words("unlink remove rmtree removedirs rename replace move cleanup copytree delete safe_delete")
_USES: Final = words("open str Path join fdopen close write print save info debug")
_LARGE: Final = words("to_dict to_json to_csv to_html to_records to_numpy to_parquet to_pickle")


def connection_per_call(body: Body) -> Iterator[Site]:
    """A new client or engine inside the task."""
    for call in body.calls:
        shared = keyword(call.node, "connection_pool") is not None
        if call.name in _CONNECTS and not shared:
            yield Site("connection-per-call", call.node, f"{call.name}()")


def temporary_file_left(body: Body) -> Iterator[Site]:
    """``delete=False``, ``mkstemp`` or ``mkdtemp`` without anything in the function that removes a file."""
    removes = any(call.attr in _REMOVES for call in body.calls)
    if removes:
        return
    for call in body.calls:
        if call.name in ("tempfile.mkstemp", "tempfile.mkdtemp"):
            detail = f"{call.name}()"
        elif call.name == "tempfile.NamedTemporaryFile":
            kept = keyword(call.node, "delete")
            if not isinstance(kept, ast.Constant) or kept.value is not False:
                continue
            detail = "NamedTemporaryFile(delete=False)"
        else:
            continue
        if not _kept_by_object(body, call.node):
            certain = not _handed_on(body, call.node)
            yield Site("temporary-file-left", call.node, f"{detail}, and nothing here removes it", certain)


def _kept_by_object(body: Body, node: ast.Call) -> bool:
    """``self.directory = mkdtemp()``: the object may remove it later."""
    statement = body.statement_of(node)
    return isinstance(statement, ast.Assign) and any(isinstance(t, ast.Attribute) for t in statement.targets)


def _handed_on(body: Body, node: ast.Call) -> bool:
    """The function returns something or hands the name to another function, which may remove the file."""
    if any(node.value is not None and not isinstance(node.value, ast.Constant) for node in body.of(ast.Return)):
        return True
    statement = body.statement_of(node)
    names = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}
    return any(
        not call.name.startswith(("os.", "pathlib.", "subprocess.", "shutil.")) and call.attr not in _USES
        for call in body.calls
        for value in [*call.node.args, *(entry.value for entry in call.node.keywords)]
        if any(isinstance(inner, ast.Name) and inner.id in names for inner in ast.walk(value))
    )


def large_result(body: Body) -> Iterator[Site]:
    """``return`` of a query, a list of model objects, a file's content or a data frame."""
    for decorator in body.function.decorator_list:
        if isinstance(decorator, ast.Call) and is_true(keyword(decorator, "ignore_result")):
            return
    for node in body.of(ast.Return):
        if node.value is None or _function_of(body, node) is not body.function:
            continue
        value = body.value_of(node.value)
        what = ""
        if is_queryset(body, value) and "none" not in chain_of(value):
            what = "a query"
        elif isinstance(value, ast.Call) and last_name(value.func) in ("list", "tuple") and value.args:
            if is_queryset(body, value.args[0]) and "values_list" not in chain_of(body.value_of(value.args[0])):
                what = "every row of a query"
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            owner = value.func.value
            if value.func.attr in ("read", "readlines") and is_file(body, owner) and not value.args:
                what = "the content of a file"
            elif value.func.attr in _LARGE and _is_frame(body, owner):
                what = "a whole data frame"
        if what:
            yield Site("large-result", node, f"returns {what}")


def _function_of(body: Body, node: ast.AST) -> ast.AST:
    for _, parent in body.ancestors_here(node):
        if isinstance(parent, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            return parent
    return body.function


def _is_frame(body: Body, node: ast.expr) -> bool:
    value = body.value_of(node)
    return isinstance(value, ast.Call) and body.names.resolve(value.func).startswith(("pandas.", "polars."))
