"""Map each provider's refusals to what they mean for the outbox: every documented code, sorted once.

A refusal of *us* (key, scope, plan, address of the API) says nothing about the message: the channel pauses and the
message waits. Only a refusal of *this message* fails it. What no table knows waits, or, where the message may have been
taken all the same, is uncertain; it never fails.

Sources: Slack's method pages (chat.postMessage, users.lookupByEmail, conversations.open, .list, .history, .replies),
SendGrid's OpenAPI document and status pages, HubSpot's error handling page, Salesforce's list of status codes,
Azure Logic Apps' request trigger (Teams' workflows).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from cs_pipeline.channels.message import Outcome

Meaning = Literal["message", "channel", "later", "perhaps"]
"""What a refusal means:

- `message`: this message is refused for good, and fails;
- `channel`: we are refused, whatever the message; the channel pauses and the message waits;
- `later`: nothing was taken; the same request may be made again;
- `perhaps`: the message may have been taken; it is uncertain.
"""

RETRY_SOON = timedelta(minutes=1)


def _sorted(**codes: str) -> Mapping[str, Meaning]:
    """A table from lists of codes by meaning."""
    return {code: meaning for meaning, listed in codes.items() for code in listed.split()}  # pyright: ignore


STATUSES: Mapping[int, Meaning] = {
    **dict.fromkeys((400, 409, 413, 414, 422), "message"),
    **dict.fromkeys((300, 301, 302, 303, 304, 305, 307, 308), "channel"),  # another address, which nobody has set
    **dict.fromkeys((401, 402, 403, 404, 405, 406, 407, 410, 411, 415, 426, 451, 495, 496, 511), "channel"),
    **dict.fromkeys((408, 412, 417, 421, 423, 424, 425, 428, 429, 431, 444, 477, 499), "later"),
}
"""HTTP statuses, for whom a provider's own table says nothing else. From 500 on, it may be taken."""

TEAMS: Mapping[str, Meaning] = _sorted(
    message="InvalidRequestContent RequestEntityTooLarge",
    channel="""
        AuthenticationFailed AuthorizationFailed DirectApiAuthorizationRequired DirectApiInvalidAuthorizationScheme
        InvalidApiVersionParameter MissingApiVersionParameter TriggerInputSchemaMismatch WorkflowNotFound
        WorkflowTriggerIsNotEnabled WorkflowTriggerNotFound
    """,
    later="TooManyRequests",
)
"""Codes of the workflows that take Teams' webhooks: one that is switched off answers 400 whatever it is sent."""

SENDGRID_FIELDS_OF_OURS = ("from", "asm", "ip_pool_name", "mail_settings", "tracking_settings", "template_id")
"""Fields of a mail that are alike in every mail: who errs there errs in all of them."""

SLACK: Mapping[str, Meaning] = _sorted(
    message="""
        attachment_payload_limit_exceeded cannot_dm_bot cannot_reply_to_message channel_not_found
        channel_type_not_supported duplicate_channel_not_found duplicate_message_not_found invalid_arguments
        invalid_array_arg invalid_attachments invalid_blocks invalid_blocks_format invalid_channel invalid_cursor
        invalid_limit invalid_metadata_filter_keys invalid_metadata_format invalid_metadata_schema invalid_thread_ts
        invalid_ts_latest invalid_ts_oldest invalid_types invalid_user_combination is_archived is_inactive
        markdown_text_conflict message_not_found messages_tab_disabled metadata_too_large
        method_not_supported_for_channel_type missing_channel msg_blocks_too_long msg_too_long no_text
        not_enough_users not_in_channel restricted_action restricted_action_non_threadable_channel
        restricted_action_read_only_channel restricted_action_thread_locked restricted_action_thread_only_channel
        slack_connect_blocked_file_type slack_connect_canvas_sharing_blocked slack_connect_clip_sharing_blocked
        slack_connect_file_link_sharing_blocked slack_connect_file_upload_sharing_blocked
        slack_connect_lists_sharing_blocked thread_not_found too_long too_many_attachments too_many_contact_cards
        too_many_users user_disabled user_not_found user_not_visible users_list_not_supplied users_not_found
    """,
    channel="""
        access_denied accesslimited account_inactive as_user_not_supported deprecated_endpoint ekm_access_denied
        enterprise_is_restricted invalid_arg_name invalid_auth invalid_charset invalid_form_data invalid_post_type
        metadata_must_be_sent_from_app method_deprecated method_not_allowed missing_argument missing_post_type
        missing_scope no_permission not_allowed_token_type not_authed not_implemented org_login_required
        org_user_not_in_team team_access_not_granted team_added_to_org team_not_found token_expired token_revoked
        two_factor_setup_required unknown_method upgrade_required
    """,
    later="ratelimited rate_limited message_limit_exceeded limit_required account_is_limited",
    perhaps="fatal_error internal_error service_unavailable request_timeout",
)
"""Slack's error codes. Of those that are `perhaps`, Slack says that part of the request may have succeeded."""

HUBSPOT: Mapping[str, Meaning] = _sorted(
    message="""
        VALIDATION_ERROR OBJECT_NOT_FOUND CONFLICT INVALID_EMAIL INVALID_INTEGER INVALID_LONG INVALID_OPTION
        INVALID_DATE INVALID_OWNER_ID OBJECT_ALREADY_EXISTS DUPLICATE_UNIQUE_PROPERTY_VALUE
        REQUIRED_FIELD_NOT_PRESENT TOO_LONG
    """,
    channel="""
        MISSING_SCOPES BANNED INVALID_AUTHENTICATION EXPIRED_AUTHENTICATION UNAUTHORIZED FORBIDDEN PROPERTY_DOESNT_EXIST
        INVALID_OBJECT_TYPE OBJECT_TYPE_NOT_FOUND METHOD_NOT_ALLOWED ACCOUNT_LIMIT_REACHED
        USER_DOES_NOT_HAVE_PERMISSIONS INVALID_PORTAL PORTAL_NOT_ACTIVE INVALID_UNIQUE_PROPERTY PAYMENT_REQUIRED
    """,
    later="RATE_LIMIT RATE_LIMITS INTERNAL_ERROR MIGRATION_IN_PROGRESS LOCKED TIMEOUT SERVICE_UNAVAILABLE",
)
"""HubSpot's categories of errors."""

SALESFORCE: Mapping[str, Meaning] = _sorted(
    message="""
        BAD_CUSTOM_ENTITY_PARENT_DOMAIN CANNOT_EXECUTE_FLOW_TRIGGER CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY
        DATA_TRUNCATED DEPENDENCY_EXISTS DUPLICATES_DETECTED DUPLICATE_EXTERNAL_ID DUPLICATE_VALUE ENTITY_IS_DELETED
        FIELD_CUSTOM_VALIDATION_EXCEPTION FIELD_FILTER_VALIDATION_EXCEPTION FIELD_INTEGRITY_EXCEPTION
        INACTIVE_OWNER_OR_USER INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY INVALID_CROSS_REFERENCE_KEY
        INVALID_CROSS_REFERENCE_TYPE_FOR_FIELD INVALID_EMAIL_ADDRESS INVALID_ID_FIELD JSON_PARSER_ERROR MALFORMED_ID
        NUMBER_OUTSIDE_VALID_RANGE OP_WITH_INVALID_USER_TYPE_EXCEPTION STRING_TOO_LONG
        TRANSFER_REQUIRES_READ
    """,
    channel="""
        API_DISABLED_FOR_ORG CLIENT_NOT_ACCESSIBLE_FOR_USER CLIENT_REQUIRE_UPDATE_FOR_USER
        EXCEEDED_QUOTA FUNCTIONALITY_NOT_ENABLED INSUFFICIENT_ACCESS
        INSUFFICIENT_ACCESS_OR_READONLY INVALID_AUTH_HEADER INVALID_FIELD INVALID_FIELD_FOR_INSERT_UPDATE
        INVALID_LOGIN INVALID_OPERATION_WITH_EXPIRED_PASSWORD INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST
        INVALID_QUERY_FILTER_OPERATOR INVALID_SESSION_ID INVALID_TYPE INVALID_TYPE_FOR_OPERATION
        LICENSE_LIMIT_EXCEEDED LIMIT_EXCEEDED LOGIN_DURING_RESTRICTED_DOMAIN LOGIN_DURING_RESTRICTED_TIME
        LOGIN_MUST_USE_SECURITY_TOKEN MALFORMED_QUERY METHOD_NOT_ALLOWED MISSING_ARGUMENT NOT_FOUND ORG_LOCKED
        PASSWORD_LOCKOUT REQUIRED_FIELD_MISSING STORAGE_LIMIT_EXCEEDED TRIAL_EXPIRED UNSUPPORTED_API_VERSION
        inactive_org inactive_user invalid_app_access invalid_client invalid_client_credentials invalid_client_id
        invalid_grant rate_limit_exceeded unauthorized_client unsupported_grant_type
    """,
    later="""
        ALL_OR_NONE_OPERATION_ROLLED_BACK API_CURRENTLY_DISABLED CANNOT_RESOLVE_LOCK ENTITY_IS_LOCKED
        EXCEEDED_RATE_LIMIT OPERATION_TOO_LARGE QUERY_TIMEOUT QUERY_TOO_COMPLICATED REQUEST_LIMIT_EXCEEDED
        REQUEST_RUNNING_TOO_LONG SERVER_UNAVAILABLE TXN_SECURITY_METERING_ERROR UNABLE_TO_LOCK_ROW UNKNOWN_EXCEPTION
    """,
)
"""Salesforce's status, exception and OAuth codes."""


def meaning_of_status(status: int) -> Meaning:
    """What an HTTP status means, where the provider has no table for it: unknown refusals pass, from 500 on perhaps."""
    if status >= 500:
        return STATUSES.get(status, "perhaps")
    return STATUSES.get(status, "later")


def meaning_of_code(code: str, table: Mapping[str, Meaning], unknown: Meaning) -> Meaning:
    """What a provider's own code means; `unknown` where its table does not have it."""
    return table.get(code, unknown)


def outcome_of(meaning: Meaning, detail: str, retry_after: timedelta | None = None) -> Outcome:
    """What becomes of a message that was refused so."""
    if meaning == "message":
        return Outcome("failed", detail=detail)
    if meaning == "perhaps":
        return Outcome("uncertain", detail=detail)
    if meaning == "channel":
        return Outcome("retry", detail=detail, retry_after=retry_after, cause="channel")
    return Outcome("retry", detail=detail, retry_after=retry_after or RETRY_SOON)
