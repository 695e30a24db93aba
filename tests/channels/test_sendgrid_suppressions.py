"""Who SendGrid says gets no mail: what is asked of it, what is kept, and what happens when it cannot be asked."""

import json
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from cs_pipeline.addresses import hash_of
from cs_pipeline.channels.sendgrid_suppressions import PAGE, Suppressed, read_suppressions
from cs_pipeline.errors import UserError
from cs_pipeline.plays.outbox import suppression_list
from cs_pipeline.warehouse.connection import Warehouse
from tests.fakes.provider import Answer, Request, closed_address, provider
from tests.fakes.sendgrid_api import SPECIFICATIONS

KEY = "SG.super-secret-key"
SINCE = 1_741_600_000
MOMENT = datetime.fromtimestamp(SINCE, UTC)


def entry(address: str) -> dict[str, object]:
    return {"created": SINCE, "email": address, "reason": "", "status": ""}


class SendGrid:
    """SendGrid's lists, in pages, as its document has them: 500 at most, in reply to a GET with our key."""

    def __init__(self, **lists: list[str]) -> None:
        self.lists = lists

    def __call__(self, request: Request) -> Answer:
        parts = urlsplit(request.path)
        asked = {name: int(values[0]) for name, values in parse_qs(parts.query).items()}
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        assert parts.path.startswith("/v3/suppression/")
        assert set(asked) == {"limit", "offset"}
        assert asked["limit"] <= 500
        found = self.lists.get(parts.path.rpartition("/")[2], [])
        return Answer(200, [entry(address) for address in found[asked["offset"] : asked["offset"] + asked["limit"]]])


def read(decide: object) -> list[Suppressed]:
    with provider(decide) as sendgrid:  # pyright: ignore[reportArgumentType]
        return read_suppressions(SecretStr(KEY), sendgrid.url, 5)


def rows(warehouse: Warehouse) -> list[tuple[object, ...]]:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute("select address, reason, source, since from cs.suppressions order by 1, 2")
        return cursor.fetchall()


def test_each_list_has_its_reason() -> None:
    found = read(
        SendGrid(unsubscribes=["U@a.example"], bounces=["b@a.example"], invalid_emails=["i@a"], spam_reports=["s@a"])
    )
    assert [(one.address, one.reason, one.since) for one in found] == [
        ("u@a.example", "unsubscribed", MOMENT),
        ("b@a.example", "bounced", MOMENT),
        ("i@a", "bounced", MOMENT),
        ("s@a", "spam", MOMENT),
    ]


def test_who_left_our_unsubscribe_group_is_unsubscribed_and_who_left_another_is_not() -> None:
    def decide(request: Request) -> Answer:
        if request.path != "/v3/asm/suppressions":
            return Answer(200, [])
        left = {"group_name": "news", "created_at": SINCE}
        return Answer(200, [{"email": "A@a.example", "group_id": 12, **left}, {"email": "b@a", "group_id": 13, **left}])

    with provider(decide) as sendgrid:
        found = read_suppressions(SecretStr(KEY), sendgrid.url, unsubscribe_group=12)
    assert found == [Suppressed("a@a.example", "unsubscribed", MOMENT)]


def test_what_we_ask_is_in_sendgrids_specification_and_its_own_examples_are_read() -> None:
    specification = json.loads((SPECIFICATIONS / "sendgrid_suppressions_v3.json").read_text(encoding="utf-8"))
    asked: list[str] = []

    def decide(request: Request) -> Answer:
        parts = urlsplit(request.path)
        asked.append(parts.path)
        get = specification["paths"][parts.path]["get"]
        known = [specification["components"]["parameters"].get(_name(one), one) for one in get["parameters"]]
        schemas = {one["name"]: one.get("schema", {}) for one in known}
        for name, values in parse_qs(parts.query).items():
            assert int(values[0]) <= schemas[name].get("maximum", 10**9)
        return Answer(200, get["responses"]["200"]["content"]["application/json"]["examples"]["response"]["value"])

    with provider(decide) as sendgrid:
        found = read_suppressions(SecretStr(KEY), sendgrid.url, unsubscribe_group=1)
    assert len(asked) == len(set(asked)) == 5
    assert {one.reason for one in found} == {"unsubscribed", "bounced", "spam"}
    assert {one.address for one in found} > {"test1@example.com", "user1@example.com"}


def _name(parameter: dict) -> str:
    return parameter.get("$ref", "").rpartition("/")[2]


@pytest.mark.parametrize("count", [PAGE - 1, PAGE, 2 * PAGE + 1])
def test_long_lists_are_read_to_their_end(count: int) -> None:
    assert len(read(SendGrid(bounces=[f"b{number}@a.example" for number in range(count)]))) == count


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(401, {"errors": [{"message": "no"}]}), "SendGrid answered 401; the API key needs access"),
        (Answer(500), "SendGrid answered 500"),
        (Answer(200, {"errors": []}), "not a list of addresses"),
        (Answer(200, [{"email": "ada@acme.example"}]), "not a list of addresses"),
    ],
)
def test_an_answer_that_is_no_list_is_an_error_without_key_or_address(answer: Answer, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        read(answer)
    assert KEY not in str(error.value)
    assert "ada@acme.example" not in str(error.value)


def test_a_provider_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_suppressions(SecretStr(KEY), closed_address(), 5)


def test_what_is_found_is_added_once_and_nothing_is_taken_away(warehouse: Warehouse) -> None:
    found = [Suppressed("a@a.example", "bounced", MOMENT), Suppressed("a@a.example", "bounced", MOMENT)]
    with warehouse.session() as session:
        assert suppression_list.add(session, found) == 1
        assert suppression_list.add(session, found) == 0
        assert suppression_list.add(session, []) == 0
    assert rows(warehouse) == [("a@a.example", "bounced", "sendgrid", MOMENT)]


def test_who_was_erased_does_not_come_back(warehouse: Warehouse) -> None:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "insert into cs.suppressions values (%s, 'by_hand', 'erasure', %s)", [hash_of("a@a.example"), MOMENT]
        )
        assert suppression_list.add(session, [Suppressed("a@a.example", "bounced", MOMENT)]) == 0
    assert "a@a.example" not in str(rows(warehouse))
