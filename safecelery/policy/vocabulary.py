"""Names and values that Celery 5.7 knows, as data.

Celery accepts any other name in silence; these tables are what makes a typo an error. Beside each table stands the
file of the installed celery or kombu it was read from, and a unit test compares it with that package, so an upgrade
that adds or drops a name fails loudly.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from safecelery.errors import nearest

__all__ = [
    "CALL_OPTIONS",
    "JSON",
    "JSON_CONTENT",
    "POOLS",
    "POOLS_ENFORCING_LIMITS",
    "RETRY_OPTIONS",
    "ROUTING_OPTIONS",
    "SAFETASK_OPTIONS",
    "SETTINGS",
    "SIGNATURE_OPTIONS",
    "TASK_MEMBERS",
    "TASK_OPTIONS",
    "TASK_OPTIONS_WITHHELD",
    "TLS_VERSIONS",
    "misspelt_task_options",
    "unknown_call_options",
    "unknown_task_options",
]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


JSON: Final = "json"
"""The only serializer (kombu/serialization.py, ``register_json``)."""

JSON_CONTENT: Final = frozenset({"json", "application/json"})
"""How ``accept_content`` may spell it: by name or by MIME type (kombu/serialization.py, ``prepare_accept_content``)."""

TLS_VERSIONS: Final = ("SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
"""Lowest first."""

POOLS: Final = _names("prefork processes solo threads gevent eventlet custom")
"""celery/concurrency/__init__.py, ``ALIASES``; "custom" is added there from the environment."""

POOLS_ENFORCING_LIMITS: Final = _names("prefork processes")
"""Measured on 5.7: threads, solo and eventlet ignore both limits; gevent ignores the soft one and enforces the hard one
only while the task yields. "processes" is prefork's compatibility alias."""

# --- what a task declaration may say ------------------------------------------------------------------------------

_DECORATOR_OPTIONS = _names(
    """
    name base bind pydantic pydantic_strict pydantic_context pydantic_dump_kwargs
    shared filter lazy
    """
)
"""celery/app/base.py: ``Celery._task_from_fun`` and ``Celery.task``."""

_TASK_ATTRIBUTES = _names(
    """
    acks_late acks_on_failure acks_on_failure_or_timeout acks_on_timeout backend compression default_retry_delay
    delivery_mode exchange exchange_type expires ignore_result immediate mandatory max_retries priority queue rate_limit
    reject_on_worker_lost resultrepr_maxsize retry_on_worker_lost routing_key send_events serializer soft_time_limit
    store_eager_result store_errors_even_if_ignored throws time_limit track_started trail typing
    """
)
"""celery/app/task.py: attributes of ``Task``, ``Task.from_config``, ``Task.bind`` and ``extract_exec_options``."""

ROUTING_OPTIONS: Final = ("queue", "exchange", "exchange_type", "routing_key", "delivery_mode", "priority")
"""celery/app/task.py, ``Task.bind``: in a declaration these are deprecated from 5.7 and have no effect from 6."""

_AUTORETRY_OPTIONS = _names(
    "autoretry_for dont_autoretry_for retry_kwargs retry_backoff retry_backoff_max retry_jitter"
)
"""celery/app/autoretry.py, ``add_autoretry_behaviour``."""

_TASK_HANDLERS = _names("after_return before_start on_bound on_failure on_replace on_retry on_success shadow_name")
"""celery/app/task.py: methods a declaration may replace."""

SAFETASK_OPTIONS: Final = _names("encrypt idempotency_key idempotency_ttl idempotency_errors")
"""safecelery/task.py: what SafeTask adds to Celery's options."""

TASK_OPTIONS: Final = _DECORATOR_OPTIONS | _TASK_ATTRIBUTES | _AUTORETRY_OPTIONS | _TASK_HANDLERS | SAFETASK_OPTIONS
"""Every option of ``@app.task``, ``@shared_task`` and of a task class."""

TASK_OPTIONS_WITHHELD: Final[Mapping[str, str]] = {
    "Request": "the worker's clamp on time limits lives there",
    "Strategy": "it decodes a message before anything is checked",
    "abstract": "deprecated, and nothing reads it",
    "from_config": "it decides which settings reach a task",
    "request_stack": "Celery's own",
    "MaxRetriesExceededError": "Celery's own",
    "OperationalError": "Celery's own",
}
"""Public attributes of ``Task`` that a declaration may not set, each with the reason."""

TASK_MEMBERS: Final = _names(
    """
    AsyncResult add_around add_to_chord add_trail annotate app apply apply_async chunks delay map pop_request
    push_request replace request retry run s send_event si signature signature_from_request starmap
    start_strategy subtask subtask_from_request update_state
    """
)
"""celery/app/task.py: the other public members of ``Task``. A class may override them; they are not options."""

# --- what a call may ask ------------------------------------------------------------------------------------------

_SEND_TASK_OPTIONS = _names(
    """
    args kwargs countdown eta task_id producer connection router result_cls expires publisher link link_error
    add_to_parent group_id group_index retries chord reply_to time_limit soft_time_limit root_id parent_id route_name
    shadow chain task_type replaced_task_nesting
    """
)
"""celery/app/base.py, ``Celery.send_task``."""

_MESSAGE_OPTIONS = _names("argsrepr kwargsrepr ignore_result origin stamped_headers")
"""celery/app/amqp.py, ``AMQP.as_task_v2``, where it goes beyond ``send_task``."""

_PUBLISH_OPTIONS = _names(
    """
    exchange routing_key queue retry retry_policy serializer delivery_mode compression declare headers exchange_type
    timeout confirm_timeout mandatory immediate priority expiration
    """
)
"""celery/app/amqp.py, ``send_task_message``, and kombu/messaging.py, ``Producer.publish``. Left out: ``body``, and
``content_type`` with ``content_encoding``, which make kombu send a body as it is, unserialized."""

_AMQP_PROPERTIES = _names("correlation_id message_id timestamp type user_id app_id cluster_id")
"""amqp/basic_message.py, ``Message.PROPERTIES``, where it goes beyond ``publish``."""

_QUEUE_SERVICE_PROPERTIES = _names(
    "MessageGroupId MessageDeduplicationId message_attributes delay_seconds DelaySeconds"
)
"""kombu/transport/SQS, ``Channel._put``, and kombu/transport/pgmq.py: properties a virtual transport sends along."""

CALL_OPTIONS: Final = (
    _SEND_TASK_OPTIONS | _MESSAGE_OPTIONS | _PUBLISH_OPTIONS | _AMQP_PROPERTIES | _QUEUE_SERVICE_PROPERTIES
)
"""Every option of ``apply_async`` and ``send_task``."""

RETRY_OPTIONS: Final = _names("redelivered")
"""What ``Task.retry`` adds from the request's ``delivery_info`` (celery/worker/request.py); no caller's option."""

SIGNATURE_OPTIONS: Final = CALL_OPTIONS | _names("app type subtask_type immutable options")
"""Every keyword of ``signature`` (celery/canvas.py, ``Signature.__init__``)."""

# --- settings -----------------------------------------------------------------------------------------------------

_DECLARED_SETTINGS = _names(
    """
    accept_content arangodb_backend_settings azureblockblob_base_path azureblockblob_connection_timeout
    azureblockblob_container_name azureblockblob_read_timeout azureblockblob_retry_increment_base
    azureblockblob_retry_initial_backoff_sec azureblockblob_retry_max_attempts beat_cron_starting_deadline
    beat_enable_remote_control beat_max_loop_interval beat_remote_control_max_tick_age beat_schedule
    beat_schedule_filename beat_scheduler beat_sync_every broker_channel_error_retry broker_connection_max_retries
    broker_connection_retry broker_connection_retry_on_startup broker_connection_timeout broker_failover_strategy
    broker_heartbeat broker_heartbeat_checkrate broker_host broker_login_method
    broker_native_delayed_delivery_queue_type broker_password broker_pool_acquire_timeout broker_pool_limit
    broker_port broker_read_url broker_transport broker_transport_options broker_url broker_use_ssl broker_user
    broker_vhost broker_write_url cache_backend cache_backend_options cassandra_auth_kwargs cassandra_auth_provider
    cassandra_bundle_path cassandra_entry_ttl cassandra_keyspace cassandra_options cassandra_port
    cassandra_read_consistency cassandra_servers cassandra_table cassandra_write_consistency control_exchange
    control_queue_durable control_queue_exclusive control_queue_expires control_queue_ttl
    cosmosdbsql_collection_name cosmosdbsql_consistency_level cosmosdbsql_database_name
    cosmosdbsql_max_retry_attempts cosmosdbsql_max_retry_wait_time couchbase_backend_settings
    database_create_tables_at_setup database_engine_callback database_engine_options database_short_lived_sessions
    database_table_names database_table_schemas database_url elasticsearch_max_retries
    elasticsearch_retry_on_timeout elasticsearch_save_meta_as_text elasticsearch_timeout enable_utc event_exchange
    event_queue_durable event_queue_exclusive event_queue_expires event_queue_prefix event_queue_ttl
    event_serializer gcs_base_path gcs_bucket gcs_project gcs_ttl imports include mongodb_backend_settings
    redis_backend_use_ssl redis_db redis_host redis_max_connections redis_password redis_port redis_retry_on_timeout
    redis_socket_connect_timeout redis_socket_keepalive redis_socket_timeout redis_username result_accept_content
    result_backend result_backend_always_retry result_backend_base_sleep_between_retries_ms
    result_backend_max_retries result_backend_max_sleep_between_retries_ms result_backend_transport_options
    result_cache_max result_chord_expires result_chord_join_timeout result_chord_retry_interval result_compression
    result_exchange result_exchange_type result_expires result_extended result_failure_expires result_persistent
    result_serializer s3_access_key_id s3_base_path s3_bucket s3_endpoint_url s3_region s3_secret_access_key
    security_cert_store security_certificate security_digest security_key security_key_password task_acks_late
    task_acks_on_failure task_acks_on_failure_or_timeout task_acks_on_timeout task_allow_error_cb_on_chord_header
    task_always_eager task_annotations task_compression task_create_missing_queue_exchange_type
    task_create_missing_queue_type task_create_missing_queues task_default_delivery_mode task_default_exchange
    task_default_exchange_type task_default_priority task_default_queue task_default_queue_type
    task_default_rate_limit task_default_routing_key task_eager_propagates task_ignore_result
    task_inherit_parent_priority task_protocol task_publish_retry task_publish_retry_policy task_queue_max_priority
    task_queues task_reject_on_worker_lost task_remote_tracebacks task_repr_maxlevels task_retry_on_worker_lost
    task_routes task_send_sent_event task_serializer task_soft_time_limit task_store_eager_result
    task_store_errors_even_if_ignored task_time_limit task_track_started timezone worker_agent worker_autoscaler
    worker_cancel_long_running_tasks_on_connection_loss worker_concurrency worker_consumer
    worker_deduplicate_successful_tasks worker_detect_quorum_queues worker_direct worker_disable_prefetch
    worker_disable_rate_limits worker_enable_prefetch_count_reduction worker_enable_remote_control
    worker_enable_soft_shutdown_on_idle worker_eta_task_limit worker_hijack_root_logger worker_log_color
    worker_log_datefmt worker_log_format worker_lost_wait worker_max_memory_per_child worker_max_tasks_per_child
    worker_pool worker_pool_putlocks worker_pool_restarts worker_pool_start_method worker_prefetch_multiplier
    worker_proc_alive_timeout worker_redirect_stdouts worker_redirect_stdouts_level worker_send_task_events
    worker_soft_shutdown_timeout worker_state_db worker_task_log_datefmt worker_task_log_format worker_timer
    worker_timer_precision
    """
)
"""celery/app/defaults.py, ``SETTING_KEYS``."""

_UNDECLARED_SETTINGS = _names(
    """
    cassandra_secure_bundle_path dynamodb_endpoint_url firestore_project gcs_threadpool_maxsize
    redis_backend_credential_provider redis_backend_health_check_interval redis_client_name result_backend_thread_safe
    """
)
"""Read by celery/backends/{base,cassandra,dynamodb,gcs,redis}.py without being declared in defaults.py."""

SETTINGS: Final = _DECLARED_SETTINGS | _UNDECLARED_SETTINGS
"""Every lower-case setting name."""


_NEARLY = 0.85  # one letter wrong, missing or swapped in a name of seven; "timeout" is not yet "time_limit"


def unknown_task_options(options: Iterable[str]) -> tuple[str, ...]:
    """The options no task declaration may carry, sorted."""
    return tuple(sorted(set(options) - TASK_OPTIONS))


def misspelt_task_options(attributes: Iterable[str]) -> tuple[str, ...]:
    """The class attributes that nearly are an option, sorted. Any other attribute is the class's own business."""
    own = set(attributes) - TASK_OPTIONS - TASK_MEMBERS - set(TASK_OPTIONS_WITHHELD)
    return tuple(
        sorted(name for name in own if not name.startswith("_") and nearest(name, TASK_OPTIONS, _NEARLY) is not None)
    )


def unknown_call_options(options: Mapping[str, object], known: frozenset[str] = CALL_OPTIONS) -> tuple[str, ...]:
    """The options nobody would read, sorted. A stamp named in ``stamped_headers`` is an option of its own."""
    stamps = options.get("stamped_headers")
    stamped = (
        frozenset(s for s in stamps if isinstance(s, str)) if isinstance(stamps, list | tuple | set) else frozenset()
    )
    return tuple(sorted(set(options) - known - stamped))
