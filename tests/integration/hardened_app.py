"""The service with a short visibility timeout, so that a test sees what Redis gives back."""

from __future__ import annotations

import os

from service.factory import make_app

app = make_app()
if seconds := os.environ.get("SERVICE_VISIBILITY"):
    app.conf.broker_transport_options = {"visibility_timeout": float(seconds), "unacked_restore_interval": 1}
