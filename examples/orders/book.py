"""The service's book: one line for everything it really did.

In a real service this is a database. Here it is a file of JSON lines, named by ``ORDERS_BOOK``, so that anybody can
read what ran without asking Celery.
"""

import json
import os
import time
from pathlib import Path


def enter(what: str, **details: object) -> None:
    """Add a line, in one write, so that the lines of several processes do not mix."""
    if path := os.environ.get("ORDERS_BOOK"):
        with Path(path).open("a", encoding="utf-8") as book:
            book.write(json.dumps({"what": what, "at": time.time(), **details}) + "\n")
