"""Names that more than one module of this package needs: asset keys, groups, owners, tags and jobs.

An asset of `cs` and `marts` has the key of its table. Nothing here computes anything, and only what two modules share
stands here: a sensor's or an op's name stands where it is defined.
"""

import dagster as dg

ACCOUNT_WEEKS = dg.AssetKey(["marts", "fct_account_weeks"])
SUBSCRIPTION_TERMS = dg.AssetKey(["marts", "fct_subscription_terms"])
RENEWALS = dg.AssetKey(["marts", "fct_renewals"])
HEALTH_SCORES = dg.AssetKey(["cs", "health_scores"])
SCORE_CALIBRATIONS = dg.AssetKey(["cs", "score_calibrations"])
SCORE_CHANGES = dg.AssetKey(["cs", "score_changes"])
RENEWAL_WINDOWS = dg.AssetKey(["cs", "renewal_windows"])
RENEWAL_FORECASTS = dg.AssetKey(["cs", "renewal_forecasts"])
TRIGGERS = dg.AssetKey(["cs", "triggers"])
ENROLMENTS = dg.AssetKey(["cs", "enrolments"])
ACTIONS = dg.AssetKey(["cs", "actions"])
CAPTURED_MESSAGES = dg.AssetKey(["cs", "captured_messages"])
SUPPRESSIONS = dg.AssetKey(["cs", "suppressions"])
TASK_STATUS = dg.AssetKey(["cs", "task_status"])
PLAY_PROGRESS = dg.AssetKey(["cs", "play_progress"])
WORK_QUEUE = dg.AssetKey(["cs", "work_queue"])
PLAY_EFFECTS = dg.AssetKey(["cs", "play_effects"])
BACKTEST = dg.AssetKey(["cs", "backtest"])
ALERTS = dg.AssetKey(["cs", "alerts"])
ALERT_SCORECARDS = dg.AssetKey(["cs", "alert_scorecards"])
FEEDBACK_ITEMS = dg.AssetKey(["intermediate", "int_feedback_items"])
ROUTED_FEEDBACK = dg.AssetKey(["cs", "routed_feedback"])
KPIS = dg.AssetKey(["marts", "fct_kpis"])
TICKET_SLA = dg.AssetKey(["marts", "fct_ticket_sla"])

SOURCES_GROUP = "sources"
LANDING_GROUP = "landing"
HEALTH_GROUP = "health"
RENEWALS_GROUP = "renewals"
PLAYS_GROUP = "plays"
ALERTS_GROUP = "alerts"
FEEDBACK_GROUP = "feedback"
KPIS_GROUP = "kpis"
"""Also the tag of dbt models that make KPIs."""
REPORTS_GROUP = "reports"

CUSTOMER_SUCCESS = "team:customer-success"
DATA_PLATFORM = "team:data-platform"

CADENCE_TAG = "cs_pipeline/cadence"
WEEKLY = {CADENCE_TAG: "weekly"}
"""Tag of the assets that the weekly job builds."""
ORIGIN_TAG = "cs_pipeline/origin"
LIVE = "live"
"""Origin of the schedule's run of one week, the only one that may start plays."""
REASON_TAG = "cs_pipeline/reason"
SERIAL_TAG = "cs_pipeline/serial"
"""Runs that share its value wait for each other (`dagster.yaml`)."""

SLICE_TAG = "cs_pipeline/slice"
"""The slice of the accounts that a delivery takes; all of them without it."""

PARTITION_TAG = "dagster/partition"
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
BACKFILL_TAG = "dagster/backfill"
PARENT_RUN_TAG = "dagster/parent_run_id"
PRIORITY_TAG = "dagster/priority"
MAX_RETRIES_TAG = "dagster/max_retries"
MAX_RUNTIME_TAG = "dagster/max_runtime"
RUN_KEY_TAG = "dagster/run_key"
SCHEDULE_TAG = "dagster/schedule_name"
SENSOR_TAG = "dagster/sensor_name"
CODE_SERVER_TAG = ".dagster/grpc_info"
"""Tags that mean something to Dagster. It documents them, and keeps constants for them in private modules only."""

WEEKLY_JOB = "weekly_health"
RESCORE_JOB = "rescore"
BACKTEST_JOB = "backtest"
EFFECTS_JOB = "effects_of_plays"
DELIVERY_JOB = "deliver_due_actions"
EVALUATE_ALERTS_JOB = "evaluate_alerts"
SCORECARDS_JOB = "alert_scorecards"
KPIS_JOB = "kpis"
FEEDBACK_JOB = "route_feedback"
INGEST_JOB = "ingest"
PURGE_JOB = "purge_runs"
