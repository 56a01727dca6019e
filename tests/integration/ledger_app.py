"""``celery -A tests.integration.ledger_app worker``: the service with tasks that die, and hasty redelivery on Redis."""

from __future__ import annotations

import os

from service.factory import make_app

from tests.integration.ledger_stage import register

app = make_app()
if "VISIBILITY" in os.environ:
    app.conf.broker_transport_options = {
        "visibility_timeout": int(os.environ["VISIBILITY"]),
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }
register(app)
