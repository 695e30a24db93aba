"""Settings of a team, and the only reader of environment variables.

Every field is read from `CS_PIPELINE_<FIELD>`, or from `settings.env` in the home folder, which the demo writes, or
from `.env` in the folder where the process was started, which is a team's and which Dagster's own commands read too.
Secrets are `SecretStr`: they appear in no log, repr or error. What a score or a playbook means is not here; that is
YAML in the configuration folder.
"""

from base64 import b64decode
from datetime import UTC, date, datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from cs_pipeline.errors import UserError
from cs_pipeline.logs import LogFormat
from cs_pipeline.plain_files import require_text_file

PREFIX = "CS_PIPELINE_"
FOLDER_SETTINGS_FILE = Path(".env")
HOME_SETTINGS_FILE = "settings.env"
MOST_BYTES = 100_000  # of such a file
P256_PUBLIC_KEY = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")  # as each begins, in DER

Delivery = Literal["capture", "allowlist", "live"]
LateRows = Literal["exclude", "include"]
Crm = Literal["table", "hubspot", "salesforce"]
SlicesOn = Literal["processes", "celery", "kubernetes"]


class Settings(BaseSettings):
    """One value a field; the field's description is its documentation."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    database_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL of the team, as postgresql://user:password@host:5432/database. "
        "Empty: the embedded server in the home folder.",
    )
    home: Path = Field(default=Path(".cs_pipeline"), description="Folder for state: embedded server, captures, logs.")
    config: Path | None = Field(
        default=None, description="Folder whose score models and playbooks override the shipped ones by name."
    )
    now: datetime | None = Field(
        default=None,
        description="The present, for demo and tests only; refused when messages leave the machine.",
    )
    first_week: date = Field(default=date(2023, 1, 2), description="First week (a Monday) of the weekly partitions.")
    late_rows: LateRows = Field(
        default="exclude",
        description="Whether a past week may see rows that reached the warehouse after it ended.",
    )
    weekly_schedule: str = Field(default="0 6 * * 1", description="When the weekly job runs, as a cron line in UTC.")
    score_slices: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Into how many slices the weekly job cuts the accounts, to score them at once. The rows are those "
        "of one process; worth it from 100,000 accounts on (docs/deploy.md).",
    )
    slices_on: SlicesOn = Field(
        default="processes",
        description="Where steps of the weekly job run when there are slices: processes of the machine of the run, "
        "celery workers, or a pod each in kubernetes.",
    )
    delivery_slices: int = Field(
        default=1,
        ge=1,
        le=64,
        description="How many deliveries may be at work at once, each for a slice of the accounts (docs/deploy.md).",
    )
    celery_broker: SecretStr | None = Field(
        default=None,
        description="Redis that hands runs to Celery workers, as redis://:password@host:6379/0 (docs/deploy.md).",
    )
    runs_kept_days: int = Field(
        default=90,
        ge=35,
        description="Days for which runs that have ended stay in Dagster's log. At least 35: with a run its key is "
        "forgotten, and schedules ask for the same key for up to a month.",
    )
    high_value_arr: float = Field(default=10_000, description="ARR above which an account is high-value (C-25).")

    log_format: LogFormat = Field(
        default="text", description="How processes log: text for a person, json for a collector, an object an event."
    )

    timezone: str = Field(
        default="UTC", description="Our own time zone (IANA name): for readers whose zone nobody knows."
    )
    mail_from_hour: int = Field(default=8, ge=0, le=23, description="Customers get mail from this hour, local time.")
    mail_until_hour: int = Field(
        default=18, ge=1, le=24, description="Customers get no mail from this hour on, local time, nor on free days."
    )
    mails_per_person: int = Field(
        default=4, ge=1, description="Most mails and texts of all plays to one person in seven days."
    )
    mails_per_account: int = Field(
        default=8, ge=1, description="Most mails and texts of all plays to one account in seven days."
    )
    breaker_share: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="Largest share of accounts, or of ARR, that one playbook may enrol in a day without being asked.",
    )
    breaker_from: int = Field(default=50, ge=1, description="Enrolments of a day that breaker_share applies to.")

    delivery: Delivery = Field(
        default="capture",
        description="capture: nothing leaves; allowlist: only to those named; live: to everybody.",
    )
    allowlist: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="With delivery=allowlist: addresses, @domains and #channels, separated by commas.",
    )
    sender_email: str = Field(default="success@example.com", description="From address of customer mail.")
    sender_name: str = Field(default="Customer Success", description="From name of customer mail.")
    company_name: str = Field(default="Example Inc.", description="Our company, as customer mail signs.")
    postal_address: str = Field(default="1 Example Street, Example City", description="Postal address in mail footers.")
    public_url: str = Field(
        default="",
        pattern=r"^(https://[^/\s?#]+[^\s?#]*)?$",
        description="Address (https) under which everybody reaches the site's /unsubscribe and /webhooks/sendgrid, and "
        "nothing else of it (docs/answers.md). Empty: mails carry no List-Unsubscribe header.",
    )
    unsubscribe_url: str = Field(
        default="", description="A page of your own where a reader can unsubscribe. Empty: the site's."
    )
    unsubscribe_one_click: bool = Field(
        default=False,
        description="That page of your own takes the POST that mail programs send for their readers (RFC 8058; "
        "docs/answers.md).",
    )
    product_url: str = Field(default="https://app.example.com", description="Where links in mail lead.")
    sendgrid_api_key: SecretStr | None = Field(default=None, description="API key of SendGrid.")
    sendgrid_host: str = Field(default="https://api.sendgrid.com", description="Address of SendGrid's API.")
    sendgrid_unsubscribe_group: int | None = Field(
        default=None, description="SendGrid's unsubscribe group of customer mail; empty: our own unsubscribe page."
    )
    sendgrid_webhook_key: str = Field(
        default="",
        description="Public key with which SendGrid signs the events that it posts to /webhooks/sendgrid of the site "
        "(docs/answers.md). Empty: they are refused.",
    )
    sendgrid_sandbox: bool = Field(
        default=False, description="SendGrid checks every mail and sends none; what it accepted is captured."
    )
    slack_bot_token: SecretStr | None = Field(default=None, description="Bot token of Slack.")
    slack_app_token: SecretStr | None = Field(
        default=None,
        description="App-level token of Slack (xapp-…). With it messages in Slack have buttons, and somebody listens "
        "to clicks (docs/answers.md).",
    )
    slack_base_url: str = Field(default="https://slack.com/api/", description="Address of Slack's API.")
    teams_webhook_url: SecretStr | None = Field(
        default=None, description="Webhook of the Teams workflow that posts steps of `channel: teams` (docs/teams.md)."
    )
    crm: Crm = Field(
        default="table", description="Where tasks and opportunities stand: table (cs.crm_tasks), hubspot or salesforce."
    )
    hubspot_access_token: SecretStr | None = Field(default=None, description="Access token of a private app.")
    hubspot_host: str = Field(default="https://api.hubapi.com", description="Address of HubSpot's API.")
    hubspot_company_property: str = Field(
        default="cs_pipeline_account_id",
        description="HubSpot's property of companies that holds our account id; its values are unique.",
    )
    hubspot_pipeline: str = Field(default="default", description="HubSpot's pipeline of new deals.")
    hubspot_deal_stage: str = Field(default="appointmentscheduled", description="HubSpot's stage of new deals.")
    salesforce_domain: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9.-]*$",
        description="Salesforce's My Domain, the part before .salesforce.com, such as acme.my.",
    )
    salesforce_client_id: str = Field(default="", description="Consumer key of the connected app.")
    salesforce_client_secret: SecretStr | None = Field(default=None, description="Consumer secret of that app.")
    salesforce_account_field: str = Field(
        default="cs_pipeline_account_id__c",
        pattern=r"^[A-Za-z]\w*$",
        description="Salesforce's external id field of accounts that holds our account id.",
    )
    salesforce_stage: str = Field(default="Prospecting", description="Salesforce's stage of new opportunities.")
    webhook_url: SecretStr | None = Field(
        default=None, description="Where text messages are posted (docs/webhook.md). Empty: they go by e-mail."
    )
    webhook_secret: SecretStr | None = Field(default=None, description="With what those posts are signed.")
    ops_channel: str = Field(default="#cs-pipeline", description="Chat channel for failed runs and dead letters.")
    ops_email: str = Field(
        default="", description="Address that operations are told at when chat has not taken it for ten minutes."
    )
    team_channel: str = Field(default="#customer-success", description="Chat channel when an account has no owner.")
    sales_channel: str = Field(default="#sales", description="Chat channel of Sales, who follow up on upsell signals.")
    legal_email: str = Field(default="legal@example.com", description="Who prepares contracts for manual renewals.")

    ui_url: str = Field(default="http://127.0.0.1:3000", description="Address of the Dagster UI, for links.")
    site_url: str = Field(
        default="http://127.0.0.1:3001", description="Address of the customer-success site, for links (docs/site.md)."
    )
    site_listen: str = Field(
        default="",
        description="Where the site listens, as address:port, when that is not its address: behind a proxy.",
    )
    site_user_header: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9-]*$",
        description="Header in which the team's proxy says who asks, such as X-Forwarded-Email.",
    )
    site_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("127.0.0.1", "::1"),
        description="Addresses or networks of proxies whose header is believed, separated by commas.",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        description="Bearer token that the site's /metrics asks for. Empty: it answers only while nobody but this "
        "machine can reach the site (docs/deploy.md).",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Names by which browsers may ask for both, besides this machine's and those in the two addresses, "
        "separated by commas; * for any.",
    )

    @field_validator("allowlist", "allowed_hosts", "site_proxies", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("ui_url", "site_url")
    @classmethod
    def _is_a_web_address(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            is_sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            is_sound = False
        if not is_sound:
            raise ValueError("is not a web address; expected one such as http://127.0.0.1:3000")
        return value

    @field_validator("sendgrid_webhook_key")
    @classmethod
    def _is_a_public_key(cls, value: str) -> str:
        """As SendGrid shows it, or with the lines that other programs put around it."""
        key = "".join(line.strip() for line in value.splitlines() if not line.startswith("-----"))
        try:
            is_sound = not key or b64decode(key, validate=True).startswith(P256_PUBLIC_KEY)
        except ValueError:
            is_sound = False
        if not is_sound:
            raise ValueError("is not SendGrid's verification key, which begins with MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQ")
        return key

    @field_validator("site_listen")
    @classmethod
    def _is_a_place_to_listen(cls, value: str) -> str:
        try:
            parts = urlsplit(f"//{value}")
            is_sound = not value or bool(parts.hostname and parts.port and not parts.path)
        except ValueError:
            is_sound = False
        if not is_sound:
            raise ValueError("is not a place to listen; expected address:port such as 127.0.0.1:3001")
        return value

    @field_validator("site_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                ip_network(each)
            except ValueError:
                raise ValueError(f"{each} is no address or network; expected such as 10.0.0.5 or 10.0.0.0/24") from None
        return value

    @field_validator("first_week")
    @classmethod
    def _is_monday(cls, value: date) -> date:
        if value.weekday() != 0:
            raise ValueError(f"{value} is a {value:%A}; weeks start on Mondays")
        return value

    @field_validator("now")
    @classmethod
    def _in_utc(cls, value: datetime | None) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)

    @field_validator("salesforce_domain")
    @classmethod
    def _is_my_domain(cls, value: str) -> str:
        if value in ("login", "test") or value.endswith(".salesforce.com"):
            raise ValueError("is not a My Domain without .salesforce.com, such as acme.my")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("is not a time zone; expected an IANA name such as Europe/Berlin") from None
        return value

    @model_validator(mode="after")
    def _mail_has_hours(self) -> Self:
        if self.mail_from_hour >= self.mail_until_hour:
            raise ValueError(f"{PREFIX}MAIL_FROM_HOUR must be below {PREFIX}MAIL_UNTIL_HOUR")
        return self

    @model_validator(mode="after")
    def _one_click_is_safe_on_its_way(self) -> Self:
        if self.unsubscribe_one_click and not self.unsubscribe_url.lower().startswith("https://"):
            raise ValueError(
                f"{PREFIX}UNSUBSCRIBE_ONE_CLICK needs a {PREFIX}UNSUBSCRIBE_URL that starts with https:// (RFC 8058)"
            )
        return self

    @model_validator(mode="after")
    def _a_set_clock_contacts_nobody(self) -> Self:
        if self.now is not None and self.delivery != "capture":
            raise ValueError(
                f"{PREFIX}NOW sets the clock, which is for demo and tests; it needs {PREFIX}DELIVERY=capture"
            )
        return self

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks of proxies whose header is believed."""
        return tuple(ip_network(each) for each in self.site_proxies)

    @property
    def captures(self) -> Path:
        """Folder of captured messages."""
        return self.home / "captured"

    @property
    def dagster_home(self) -> Path:
        """Folder that `cs-pipeline up` gives to Dagster as DAGSTER_HOME."""
        return self.home / "dagster"


def load_settings() -> Settings:
    """Settings from the environment, the home folder's `settings.env` and the `.env` here; the first that has one wins.

    Raises UserError that names each variable that is wrong, without its value.
    """
    try:
        files: list[Path] = []
        if FOLDER_SETTINGS_FILE.is_file():  # a folder of that name is somebody's virtual environment
            require_text_file(FOLDER_SETTINGS_FILE, MOST_BYTES)
            files.append(FOLDER_SETTINGS_FILE)
        file = Settings(_env_file=files).home / HOME_SETTINGS_FILE  # pyright: ignore[reportCallIssue]
        require_text_file(file, MOST_BYTES)
        return Settings(_env_file=[*files, file])  # pyright: ignore[reportCallIssue]
    except UnicodeDecodeError as error:
        raise UserError(
            f"{HOME_SETTINGS_FILE} in the home folder, or {FOLDER_SETTINGS_FILE} here, is not UTF-8 "
            f"(byte {error.start}); save it as UTF-8"
        ) from None
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        names = [".".join(str(part) for part in problem["loc"]).upper() for problem in problems]
        words = [problem["msg"].removeprefix("Value error, ") for problem in problems]
        lines = [f"{PREFIX}{name}: {said}" if name else said for name, said in zip(names, words, strict=True)]
        raise UserError("Settings are wrong:\n  " + "\n  ".join(lines)) from None
