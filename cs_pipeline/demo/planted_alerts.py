"""Plant accounts that must make an alert rule fire at the company's end, and some that stop one step short.

They are accounts of their own beside the sample company's, so that its scores stay what they are; which rule each is
for is in the truth (`alerts_truth`). What they consist of stands in `planted_alerts.yaml`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pyarrow as pa
import yaml

from cs_pipeline.demo.company import SampleCompany
from cs_pipeline.demo.tables import schemas

PLANTS = Path(__file__).with_suffix(".yaml")
ALERTS = "alerts_truth"
ALERTS_SCHEMA = pa.schema(
    [
        ("account_id", pa.string()),
        ("rule", pa.string()),
        ("fires", pa.bool_()),  # else it stops one step short
        ("asked_at", pa.timestamp("us", tz="UTC")),  # moment at which that is so
    ]
)
ASKED = timedelta(hours=6)
_DAYS_AGO = re.compile(r"(\d+)(?= days? ago)")
_WHEN = re.compile(r"(\d+) days? (ago|ahead)(?: (\d\d:\d\d))?")

Row = dict[str, object]


def planted_tables(company: SampleCompany) -> tuple[dict[str, pa.Table], pa.Table]:
    """Rows of the canonical tables, and the truth about them (ALERTS_SCHEMA)."""
    file = yaml.safe_load(PLANTS.read_text(encoding="utf-8"))
    rows: dict[str, list[Row]] = {
        name: [_typed(row, schemas()[name], company) for row in found] for name, found in file["company"].items()
    }
    truth: list[Row] = []
    for plant in file["plants"]:
        for name in ("fires", "not_yet"):
            account = f"{plant['rule']}-{name}".replace("_", "-")
            planted = {table: found for table, found in plant[name].items() if table != "asked"}
            for table, row in _rows(account, planted, company):
                rows.setdefault(table, []).append(row)
            # A moment of its own: of a rule about the whole company, which speaks of no account.
            asked = plant[name].get("asked", plant.get("asked"))
            truth.append(
                {
                    "account_id": "" if "asked" in plant[name] else account,
                    "rule": plant["rule"],
                    "fires": name == "fires",
                    "asked_at": _moment(asked, company) if asked else company.ends_at + ASKED,
                }
            )
    tables = {name: pa.Table.from_pylist(found, schema=schemas()[name]) for name, found in rows.items()}
    return tables, pa.Table.from_pylist(truth, schema=ALERTS_SCHEMA)


def _rows(
    account: str, planted: Mapping[str, Sequence[Mapping[str, object]]], company: SampleCompany
) -> Iterator[tuple[str, Row]]:
    """The rows of one account, by table: what every account has, and what is planted."""
    wanted = {
        "accounts": planted.get("accounts", [{}]),
        "users": [{}, *planted.get("users", [])],
        "subscriptions": planted.get("subscriptions", [{}]),
        **{name: rows for name, rows in planted.items() if name not in ("accounts", "users", "subscriptions")},
    }
    for table, rows in wanted.items():
        schema = schemas()[table]
        for number, row in enumerate(_repeated(rows)):
            yield table, _row(account, schema, f"{account}-{table}-{number}", {**_DEFAULTS[table], **row}, company)


def _repeated(rows: Sequence[Mapping[str, object]]) -> Iterator[Row]:
    """Each row as often as `again` says, or on so many days, each a day before the other, as `daily` says."""
    for row in rows:
        values = {name: value for name, value in row.items() if name not in ("again", "daily")}
        yield from (dict(values) for _ in range(int(str(row.get("again", 1)))) if "daily" not in row)
        for days in range(int(str(row.get("daily", 0)))):
            yield {name: _earlier(value, days) for name, value in values.items()}


def _earlier(value: object, days: int) -> object:
    """'3 days ago' so many days earlier; any other value as it is."""
    if not isinstance(value, str):
        return value
    return _DAYS_AGO.sub(lambda found: str(int(found[1]) + days), value)


_DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "accounts": {"created_at": "400 days ago", "tier": "pro", "timezone": "UTC", "owner_email": "hanna@ours.example"},
    "users": {"user_id": "ada", "created_at": "400 days ago"},
    "subscriptions": {
        "started_on": "400 days ago", "mrr": 500.0, "seats": 5, "tier": "pro", "auto_renew": False, "is_trial": False,
        "is_addon": False,
    },
    "invoices": {}, "orders": {"user_id": "ada", "amount": 10.0}, "integrations": {}, "onboarding_progress": {},
    "events": {"user_id": "ada", "quantity": 1.0}, "event_attendance": {"user_id": "ada"},
    "touchpoints": {"is_missed": False}, "contact_roles": {"user_id": "ada"}, "feedback": {}, "tickets": {},
    "survey_responses": {"user_id": "ada"}, "email_events": {"user_id": "ada"}, "value_log": {},
    "cancellation_requests": {}, "referrals": {}, "signups": {}, "support_agents": {},
    "customer_references": {}, "case_studies": {}, "certifications": {"user_id": "ada"},
}  # fmt: skip
"""What a planted row has unless the plant says otherwise."""


def _row(account: str, schema: pa.Schema, key: str, values: Mapping[str, object], company: SampleCompany) -> Row:
    """The row in the columns of its table: keys and names of the account filled in, days counted from the end."""
    row: Row = {"account_id": account, **values}
    first = schema.names[0]
    row.setdefault(first, key)
    if "account_name" in schema.names:
        row["account_name"] = account.replace("-", " ").capitalize()
    if "user_id" in row:
        row["user_id"] = f"{account}-{row['user_id']}"
    if "email" in schema.names and "full_name" in schema.names:
        row |= {"email": f"{row['user_id']}@plants.example", "full_name": "Ada Lindqvist"}
    return _typed(row, schema, company)


def _typed(row: Mapping[str, object], schema: pa.Schema, company: SampleCompany) -> Row:
    return {name: _value(row.get(name), schema.field(name).type, company) for name in schema.names}


def _value(value: object, kind: pa.DataType, company: SampleCompany) -> object:
    if not isinstance(value, str) or not (pa.types.is_date(kind) or pa.types.is_timestamp(kind)):
        return float(value) if isinstance(value, int) and pa.types.is_floating(kind) else value
    moment = _moment(value, company)
    return moment.date() if pa.types.is_date(kind) else moment


def _moment(text: str, company: SampleCompany) -> datetime:
    """'9 days ago', '3 days ahead' or '5 days ago 06:00', from the company's end. Noon, where no hour is named."""
    found = _WHEN.fullmatch(text)
    if found is None:
        raise ValueError(f"{PLANTS}: expected such as '9 days ago' or '3 days ahead 06:00', got '{text}'")
    days = timedelta(days=int(found[1]) * (1 if found[2] == "ahead" else -1))
    day: date = company.ends_on + days
    return datetime.combine(day, time.fromisoformat(found[3] or "12:00"), UTC)
