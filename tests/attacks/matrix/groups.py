"""What the attacker does, in words, and which cases are about it."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from tests.attacks.case import Case

__all__ = ["GROUPS", "HONEST", "group_of", "grouped"]

HONEST = "Honest messages, which must run"
#: Title -> patterns of names. The first group with a pattern that fits has the case.
GROUPS: dict[str, tuple[str, ...]] = {
    HONEST: ("honest_*",),
    "Sends a transport envelope that is none (Redis)": ("malformed_item_*", "malformed_envelope_*", "garbage_item_*"),
    "Sends a message with malformed headers": ("malformed_header_*",),
    "Sends a message with a malformed body, content type or property": (
        "malformed_*", "garbage_body_*", "body_too_large_*",
    ),
    "Gives commands to workers": ("control_*_harmless", "gossip_*"),
    "Sends garbage to remote control and events": ("broadcast_*",),
    "Sends code or garbage that a serializer would read": (
        "*_pickle_*", "*_yaml_*", "*_msgpack_*", "*_application_*", "*_unknown_content_*", "*_other_encoding_*",
        "lone_surrogate_*", "*nested*header*", "*deeply_nested*", "*nested_for_the_pickler*", "signed_garbage_*",
        "signed_*_json_*", "signed_body_of_*", "signed_kwargs_*", "*protocol_1*", "*hybrid_body*", "content_type_*",
    ),
    "Sends a compression bomb": ("*bomb*", "compression_*", "signed_*compression*"),
    "Floods": ("*flood*",),
    "Has a key, and sends a task that kills its process": ("poison_*",),
    "Sends a captured message again, elsewhere or later": (
        "replayed_*", "*_replayed_*", "stale_*", "audience_*", "lifetime_*", "meant_for_*", "signed_in_the_future_*",
        "captured_from_*",
    ),
    "Sends what nobody trusted has signed": (
        "unsigned_rejected", "*d_key_*", "impostor_key_*", "early_key_*", "empty_signature_*", "public_key_*",
        "signature_*",
    ),
    "Changes the envelope of a captured message": ("envelope_*", "two_envelopes_*", "claim*", "version_*"),
    "Changes a captured message": (
        "*_changed_*", "*_swapped_*", "*_header_*", "all_other_headers_*", "custom_header_*", "delivery_info_*",
        "retry_redirected_*", "expired_copy_*", "revoked_by_*", "unsigned_*", "hybrid_of_*", "timelimit_of_none_*",
    ),
    "Has a key, and sends what it was not granted": ("*_not_granted_*", "task_unknown_*", "too_many_*", "cleanup_*"),
    "Has a key, and hides a task in the canvas": (
        "builtin_*", "*_as_text_*", "kind_hides_*", "chord_unlock_*", "canvas_*", "*_in_headers_*", "map_of_*",
        "embedded_*", "signed_unknown_embedded_*", "unknown_member_*", "request_me*", "*hybrid*",
    ),
    "Has a key, and gives a callback forbidden options": ("option_*",),
    "Has a key, and tampers with encryption": ("ciphertext_*", "not_encrypted_*", "encrypted_*", "said_to_be_*"),
    "Has a key, and lifts limits, retries or the schedule": (
        "time_limit_*", "time_limits_*", "retries_*", "eta_*", "expires_*", "stamps_*",
    ),
    "Has a key, and signs names and properties that are none": (
        "id_*", "task_missing_*", "shadow_*", "property_*", "arguments_do_not_fit_*", "header_name_too_long_*",
        "header_too_long_*", "headers_too_many_*", "task_name_too_long_*", "task_with_an_escape_*",
    ),
}  # fmt: skip


def group_of(case: Case) -> str:
    """Title of the case's group.

    Raises:
        LookupError: it is in none.
    """
    for title, patterns in GROUPS.items():
        if any(fnmatchcase(case.name, pattern) for pattern in patterns):
            return title
    raise LookupError(f"case {case.name} is in no group of tests/attacks/matrix/groups.py")


def grouped(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """All groups in the table's order, with their cases by title."""
    found: dict[str, list[Case]] = {title: [] for title in GROUPS}
    for case in cases:
        found[group_of(case)].append(case)
    return found
