"""A service that sends without a pause, and writes down what it sent under which key.

    python -m tests.integration.sending QUEUE RECORD WITNESS STOP

Each line of RECORD is a number and the id of the key that signed the message with that number. No more than a few
messages are ahead of WITNESS, the file that the tasks write. It ends when the file STOP is there.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from safecelery import create_app
from safecelery.keys.ring import Keyring
from safecelery.message.seal import Draft
from safecelery.runtime import publish

AHEAD = 10


def main() -> None:
    queue, record, witness, stop = sys.argv[1], *map(Path, sys.argv[2:5])
    app = create_app("sending")
    signed_by: list[str] = []
    seal = publish.seal

    def seal_and_tell(draft: Draft, ring: Keyring, **how: Any) -> str:
        signers: list[str] = []

        class Told(Keyring):
            def signer(self, now: float) -> Any:
                key = ring.signer(now)
                signers.append(key.kid)
                return key

        envelope = seal(draft, Told(None, ring.trust), **how)
        signed_by[:] = signers
        return envelope

    publish.seal = seal_and_tell
    number = 0
    with record.open("a") as lines:
        while not stop.exists():
            number += 1
            app.send_task("service.add", (number, 0), queue=queue, ignore_result=True)
            lines.write(f"{number} {signed_by[0]}\n")
            lines.flush()
            while number - witness.read_bytes().count(b"\n") > AHEAD and not stop.exists():
                time.sleep(0.01)


if __name__ == "__main__":
    main()
