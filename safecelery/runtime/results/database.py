"""Sealed results in a database (SQLAlchemy): Celery's row for whoever looks, and a sealed document that is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from celery import states
from celery.backends.database import DatabaseBackend, session_cleanup
from kombu.utils.encoding import bytes_to_str
from sqlalchemy.orm.attributes import flag_modified

from safecelery.errors import Reason, Rejected, ResultRefused, ResultTooLarge
from safecelery.message.result import UNNAMED
from safecelery.message.result_open import Question
from safecelery.runtime.results.database_model import SealedDocument
from safecelery.runtime.results.meta import PENDING, checked_meta
from safecelery.runtime.results.seal import Opened, parsed
from safecelery.runtime.results.sealed import SealedBackend
from safecelery.runtime.results.unsigned import unsigned_body

__all__ = ["SealedDatabaseBackend"]


class SealedDatabaseBackend(SealedBackend, DatabaseBackend):
    """``db+DRIVER://``. Both rows are written in one transaction."""

    def __init__(self, app: Any, **kwargs: Any) -> None:
        SealedDocument.configure((app.conf.database_table_schemas or {}).get("task"))
        super().__init__(app, **kwargs)

    # Tasks -----------------------------------------------------------------------------------------------------

    def _store_result(
        self, task_id: str, result: Any, state: str, traceback: Any = None, request: Any = None, **kwargs: Any
    ) -> Any:
        """As Celery's, sealed. A stored ``SUCCESS`` stays, if it is believed."""
        task_id = bytes_to_str(task_id)
        meta = self._get_result_meta(result=result, state=state, traceback=traceback, request=request)
        meta["task_id"] = task_id
        name = self.task_of(task_id, request)
        secret = self.is_secret(name, request)
        session = self.ResultSession()
        with session_cleanup(session):
            document = _document(session, "result", task_id, lock=True)
            if document is not None and self.is_success(task_id, bytes(document.document)):
                return None
            try:
                sealed = self.sealed_meta(task_id, meta, request)
            except ResultTooLarge as error:
                meta = self.fitted(error, meta, name, secret=secret)
                sealed = self.sealed_meta(task_id, meta, request)
            _keep(session, document, "result", task_id, sealed)
            self._show(session, task_id, meta, request, hidden=secret)
            session.commit()
        return result

    def _show(self, session: Any, task_id: str, meta: dict[str, Any], request: Any, *, hidden: bool) -> None:
        """Celery's own row, as Celery writes it; of an encrypted task only its state."""
        task = self._query_task(session, task_id)
        if not task:
            task = self.task_cls(task_id)
            session.add(task)
            session.flush()
        if hidden:
            for column in ("result", "traceback", "children", "args", "kwargs", "stamps"):
                if hasattr(task, column):
                    setattr(task, column, None)
            task.status = meta["status"]
        else:
            self._update_result(task, meta["result"], meta["status"], traceback=meta["traceback"], request=request)
        flag_modified(task, "status")

    def _get_task_meta_for(self, task_id: str) -> dict[str, Any]:
        """The sealed document. Celery's row alone is an unsigned result."""
        task_id = bytes_to_str(task_id)
        session = self.ResultSession()
        with session_cleanup(session):
            document, shown = _document(session, "result", task_id), None
            if document is None:
                row = self._query_task(session, task_id)
                shown = row.to_dict() if row else None
                # Both rows may have come since.
                document = _document(session, "result", task_id) if row else None
            if document is not None:
                return self.opened_meta(task_id, bytes(document.document))
        if shown is None or shown["status"] == states.PENDING:
            return PENDING()
        return self._unsigned(task_id, shown)

    def _unsigned(self, task_id: str, shown: dict[str, Any]) -> dict[str, Any]:
        """What a plain worker wrote, in report mode. Never with Celery's reader, which unpickles what is no JSON."""
        question = Question("result", task_id)
        most = self.seal.settings.max_bytes
        try:
            self._report(question)
            members = {name: shown[name] for name in ("status", "traceback", "date_done", "task_id")}
            for name in ("result", "children", "args", "kwargs"):
                if shown.get(name) is not None:
                    members[name] = parsed(unsigned_body(bytes(shown[name]), most))
            members.setdefault("result", None)
            return checked_meta(Opened(members, UNNAMED, task_id, {}), self.seal.allowed, ())
        except Rejected as refusal:
            self.seal.tell(refusal, question, "stored")
            raise ResultRefused(refusal.reason, task_id, refusal.detail) from None

    def _report(self, question: Question) -> None:
        missing = Rejected(Reason.ENVELOPE_MISSING, "the result is not signed")
        if not self.seal.reports:
            raise missing
        self.seal.tell(missing, question, "stored", "report")

    def _task_result_exists(self, task_id: str) -> bool:
        return bool(self._get_task_meta_for(task_id)["status"] != states.PENDING)

    def _forget(self, task_id: str) -> None:
        if self.seal.place is not None:
            session = self.ResultSession()
            with session_cleanup(session):
                if (document := _document(session, "result", bytes_to_str(task_id))) is not None:
                    self.drop_claim(bytes_to_str(task_id), bytes(document.document))
        super()._forget(task_id)
        self._drop("result", task_id)

    def _decode_stored_result(self, payload: Any) -> NoReturn:
        """Closed: it unpickles.

        Raises:
            ResultRefused: always.
        """
        raise ResultRefused(Reason.INTERNAL, "", "a reader that does not verify what it reads")

    # Groups ----------------------------------------------------------------------------------------------------

    def _save_group(self, group_id: str, result: Any) -> Any:
        group_id = bytes_to_str(group_id)
        session = self.ResultSession()
        with session_cleanup(session):
            document = _document(session, "group", group_id, lock=True)
            _keep(session, document, "group", group_id, self.sealed_group(group_id, result))
            theirs = session.query(self.taskset_cls).filter(self.taskset_cls.taskset_id == group_id).first()
            value = self.body_of(self.prepare_value(result))
            if theirs is None:
                session.add(self.taskset_cls(group_id, value))
            else:
                theirs.result = value
            session.commit()
        return result

    def _restore_group(self, group_id: str) -> dict[str, Any] | None:
        group_id = bytes_to_str(group_id)
        session = self.ResultSession()
        with session_cleanup(session):
            document, value = _document(session, "group", group_id), None
            if document is None:
                theirs = session.query(self.taskset_cls).filter(self.taskset_cls.taskset_id == group_id).first()
                value = bytes(theirs.result) if theirs is not None else None
                document = _document(session, "group", group_id) if theirs is not None else None
            if document is not None:
                return self.opened_group(group_id, bytes(document.document))
        return None if value is None else self.opened_group(group_id, b'{"result": %b}' % value)

    def _delete_group(self, group_id: str) -> None:
        super()._delete_group(group_id)
        self._drop("group", group_id)

    # What both have --------------------------------------------------------------------------------------------

    def _drop(self, kind: str, key: str) -> None:
        session = self.ResultSession()
        with session_cleanup(session):
            session.query(SealedDocument).filter_by(kind=kind, key=bytes_to_str(key)).delete()
            session.commit()

    def _cleanup(self) -> None:
        """Expired rows of both tables."""
        super()._cleanup()
        session = self.ResultSession()
        with session_cleanup(session):
            session.query(SealedDocument).filter(
                SealedDocument.date_done < datetime.now(UTC) - timedelta(seconds=self.expires_s)
            ).delete()
            session.commit()


def _document(session: Any, kind: str, key: str, *, lock: bool = False) -> Any:
    query = session.query(SealedDocument).filter_by(kind=kind, key=key)
    # Only a row that is there is locked: locking a missing one deadlocks inserts on MySQL.
    found = query.first()
    return query.with_for_update().populate_existing().first() if lock and found is not None else found


def _keep(session: Any, document: Any, kind: str, key: str, sealed: bytes) -> None:
    if document is None:
        session.add(SealedDocument(kind=kind, key=key, document=sealed))
    else:
        document.document = sealed
        flag_modified(document, "document")
    session.flush()
