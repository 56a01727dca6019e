"""What each reason means, whom it points at, and what an operator does about it: one entry for every ``Reason``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from safecelery.errors import Reason
from safecelery.firewall.checks import FORGIVEN

__all__ = ["REASONS", "Explanation", "in_report_mode"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Of one reason, for people."""

    means: str
    points_at: str
    """Who has to do something, or who may have done it."""
    action: str


_STRANGER = "somebody with access to the broker, or a producer that is not on safecelery"
_SENDER = "the service that signed it"
_GRANTS = "the service that signed it, or its entry in the trust store"

REASONS: Mapping[Reason, Explanation] = {
    Reason.TOO_LARGE: Explanation(
        "The body, its decompressed form, the envelope or a header is larger than allowed.",
        f"{_SENDER}; without a signature, {_STRANGER}",
        "Send a reference to the data instead of the data. Raise `max_message_bytes` only with the broker in mind.",
    ),
    Reason.ENVELOPE_MISSING: Explanation(
        "The message is not signed.",
        _STRANGER,
        "Find the producer by the dead letter's headers (`origin`) and give it a key. For the time of a migration "
        "there is report mode. If there is no such producer, change the broker's passwords.",
    ),
    Reason.ENVELOPE_MALFORMED: Explanation(
        "There is an envelope, but it is not two parts of base64url, or not strict JSON within.",
        "somebody who changed or made up the message; a proxy that rewrites headers",
        "Treat it as an attack on the broker until something that rewrites headers is found.",
    ),
    Reason.VERSION_UNSUPPORTED: Explanation(
        "The envelope says a version that this worker does not know.",
        "a sender that is newer than this worker",
        "Upgrade workers before senders, then replay the dead letters.",
    ),
    Reason.TYPE_MISMATCH: Explanation(
        "It was signed as something else: a result, a control command or an event was sent as a task.",
        "somebody who copied a signed message to where it does not belong",
        "Treat it as an attack on the broker.",
    ),
    Reason.KEY_UNKNOWN: Explanation(
        "The trust store has no key of that id.",
        "a sender whose key nobody entered here; else somebody who made a key",
        "If you know the id, enter its public key and replay the dead letter. If not, treat it as an attack.",
    ),
    Reason.KEY_EXPIRED: Explanation(
        "The key is past its `expires`, or before its `not_before`.",
        "whoever should have handed out the next key; a clock that is wrong",
        "Hand out the next key and replay what is honest. See `safecelery keys list`.",
    ),
    Reason.KEY_REVOKED: Explanation(
        "The key is marked as revoked.",
        "whoever holds the revoked key",
        "If its owner has a new key, look for a process that was not restarted. Else the thief is at work.",
    ),
    Reason.SIGNATURE_INVALID: Explanation(
        "The signature does not hold: body or claims were changed, or another key made it.",
        "somebody who changed the message on its way, or forged it",
        "Treat it as an attack on the broker: there is no honest way to this.",
    ),
    Reason.CLAIMS_MALFORMED: Explanation(
        "Signed, but a header is missing, of the wrong type, or not for a message to set.",
        _SENDER,
        "Look for a producer that is not safecelery's, or for custom headers with reserved names.",
    ),
    Reason.CONTENT_DISALLOWED: Explanation(
        "The body is not JSON in UTF-8 by its own word, or compressed in a way that cannot be undone with a limit.",
        f"{_SENDER}; without a signature, {_STRANGER}",
        "Send JSON; compress with gzip, bzip2 or lzma. A pickle without a signature is an attack.",
    ),
    Reason.UNDECRYPTABLE: Explanation(
        "The body is encrypted, and this worker cannot open it: it has none of the keys, or the bytes were changed or "
        "belong to another message.",
        "a worker without its decryption key; a trust store with an old one; else somebody who moved ciphertext",
        "Compare the key ids in the detail with `encryption.keys` of the worker; give it the key, then replay the dead "
        "letter. A detail that says `changed` is an attack on the signer's service: the signature held.",
    ),
    Reason.NOT_ENCRYPTED: Explanation(
        "The task, or one embedded in the message, must be encrypted, and the message is not.",
        "a sender that does not know so yet",
        "Give the sender the code with `encrypt=True`, or `encryption.tasks`, and the trust file with the key of the "
        "queue. For the time in which senders begin, set `encryption.mode` to `report` on the workers. The letter "
        "holds the arguments in plain text: purge it once it is sent again.",
    ),
    Reason.BODY_MALFORMED: Explanation(
        "The body is not a task's: not JSON, not `[args, kwargs, embed]`, nested too deeply, or an embedded signature "
        "is not whole.",
        _SENDER,
        "Look for a producer that writes messages by hand, or by task protocol 1.",
    ),
    Reason.AUDIENCE_MISMATCH: Explanation(
        "It was signed for another queue or exchange than the one it was read from.",
        "somebody who copied a message to another queue; a shovel or a script that moves messages",
        "Let moved messages be sent anew by their sender. If nobody moves messages, treat it as an attack.",
    ),
    Reason.STALE: Explanation(
        "It is past its signed lifetime, or that lifetime is longer than the policy allows.",
        "a queue that stood still; a sender with another policy; somebody who sends a captured message again",
        "Replay what is still wanted. Raise `max_message_age_s` if queues may stand still for longer.",
    ),
    Reason.NOT_YET_VALID: Explanation(
        "It was signed in the future, further ahead than clocks may differ.",
        "the clock of the sender's host, or of this one",
        "Synchronise the clocks (NTP), then replay the dead letters.",
    ),
    Reason.TASK_NOT_GRANTED: Explanation(
        "The signer may not send this task.",
        _GRANTS,
        "If it should, add the task to `send` of its key. If not, ask why it tries.",
    ),
    Reason.QUEUE_NOT_GRANTED: Explanation(
        "The signer may not send to this queue.",
        _GRANTS,
        "If it should, add the queue to `queues` of its key. If not, look at its routes.",
    ),
    Reason.CANVAS_NOT_GRANTED: Explanation(
        "A callback, chain, chord or group inside the message holds a task that its signer may not send, or too many.",
        _GRANTS,
        "If it should, add the embedded task to `send`; for very large canvases raise `max_canvas_signatures`.",
    ),
    Reason.CANVAS_OPTION: Explanation(
        "An embedded signature carries an option that callers may not set, or beyond what they may ask for.",
        _SENDER,
        "Take the option out, or state it on the task.",
    ),
    Reason.RETRIES_OUT_OF_RANGE: Explanation(
        "The retry count is no number, negative, or above the policy's `max_retries`.",
        f"{_SENDER}; a task with more retries than this worker's policy allows",
        "Use the same policy on all workers of a queue. A negative count is an attempt to run more often.",
    ),
    Reason.SCHEDULE_OUT_OF_RANGE: Explanation(
        "`eta` or `expires` is no date, or the ETA is further ahead than `max_eta_s`.",
        _SENDER,
        "Keep what is due in months in a database, and send it when it is due.",
    ),
    Reason.TASK_UNKNOWN: Explanation(
        "No task of that name is registered on this worker.",
        "a worker that runs older code, misses an import, or reads a queue that is not its own",
        "Deploy workers before senders; look at `include`, `imports` and `-Q`; then replay the dead letters.",
    ),
    Reason.REPLAYED: Explanation(
        "A message with this id ran before, and this is another copy of it.",
        "somebody who copied a signed message; else a broker that was restored from a backup",
        "Nothing is to be replayed: it ran. If it should run once more, send it anew.",
    ),
    Reason.POISON: Explanation(
        "It was begun as often as the policy's `max_deliveries` allows, and never completed.",
        "the task: it kills its process, or its workers are killed while it runs (memory, machine)",
        "Find out what it does to its process (see the kernel's log), mend that, then replay the dead letter.",
    ),
    Reason.COMMAND_UNKNOWN: Explanation(
        "A remote command that this worker does not have.",
        _SENDER,
        "Look at the command's spelling, and whether that worker registers it.",
    ),
    Reason.COMMAND_NOT_GRANTED: Explanation(
        "A remote command that its signer may not give.",
        _GRANTS,
        "If it should be allowed, name the command in the key's `control` list in the trust store.",
    ),
    Reason.COMMAND_ARGUMENTS: Explanation(
        "A remote command with arguments that it does not take.",
        _SENDER,
        "The detail names the argument; see the guide to remote control.",
    ),
    Reason.COMMAND_REPLAYED: Explanation(
        "A remote command that this worker obeyed before.",
        "somebody who copied a signed command",
        "Treat it as an attack on the broker.",
    ),
    Reason.COMMANDS_TOO_MANY: Explanation(
        "More remote commands within a minute than a worker remembers, so none more is obeyed.",
        "whoever signs them: the log names the key",
        "Stop the flood, or revoke the key.",
    ),
    Reason.REPLY_UNASKED: Explanation(
        "A signed reply to a remote command that the caller did not give, or from a worker that it did not ask.",
        "somebody who copied a signed reply; else a worker that answers late",
        "Nothing, if it was late. Else treat it as an attack on the broker.",
    ),
    Reason.RESULT_NOT_GRANTED: Explanation(
        "A result whose signer may not answer for that task.",
        "the worker that signed it, or its entry in the reader's trust store",
        "If it should answer, add the task to `results` of its key. If not, ask how it came to run the task.",
    ),
    Reason.RESULT_OF_ANOTHER_TASK: Explanation(
        "A result that is signed for the right id, but for another task than the one that was sent with it.",
        "somebody who sent another task under the same id",
        "Find who sent it: the worker's log has the message. Ids of one's own choice are sent once.",
    ),
    Reason.RESULT_OF_ANOTHER_CHORD: Explanation(
        "A result that a worker was to hand to the callback of a chord which the message of its task does not name.",
        "somebody who sent a task as a part of another's chord, or had results gathered that are not his",
        "Find the sender: the worker's log has the message. No result was handed on.",
    ),
    Reason.INTERNAL: Explanation(
        "A check failed with an exception, so the message was not let through.",
        "safecelery: this is a bug; or a message that was made to find one",
        "Report it, with the detail (it names the exception's type) and what you may tell of the message.",
    ),
}


def in_report_mode(reason: Reason) -> str:
    """What report mode does with a message that is refused for this reason."""
    if reason is Reason.NOT_ENCRYPTED:
        return "refused; admitted, if `encryption.mode` is `report`"
    if reason is Reason.ENVELOPE_MISSING:
        return "admitted, if the app is in report mode"
    if any(reason in forgiven for forgiven in FORGIVEN.values()):
        return _PARTLY.get(reason, "admitted")
    return "refused"


#: Reasons that more than one check gives, of which report mode overrules only some.
_PARTLY = {
    Reason.STALE: "refused if expired; admitted if its lifetime is longer than the policy allows",
    Reason.RETRIES_OUT_OF_RANGE: "admitted, unless it is no number",
    Reason.SCHEDULE_OUT_OF_RANGE: "admitted, unless it is no date",
}
