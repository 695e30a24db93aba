"""A play that an alert about a user starts writes to that user, and to nobody in that user's place."""

from datetime import timedelta
from pathlib import Path

import pytest

from cs_pipeline.errors import UserError
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.playbooks.reading import read_playbook
from cs_pipeline.plays.playbooks.schema import Playbook
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play

DAY = timedelta(days=1)


def reminder(**changes: object) -> Playbook:
    step = {"step": "remind", "day": 0, "channel": "email", "to": "user", "template": "t", "intent": "educate"}
    trigger = {"kind": "alert", "when": "rule == 'stuck'"}
    return save_play(playbook="reminder", family="reminder", trigger=trigger, exit=[], steps=[step], **changes)


def stuck(company: Company, account: str, user: str, *, key: str | None = None) -> int:
    name = f"{account}-{user}"
    return company.trigger("alert", account, key=key or name, subject_id=name, rule="stuck", entity=name)


def planned(company: Company) -> list[tuple]:
    return company.run("select recipient, recipient_user_id, status, reason from cs.actions order by 1")


@pytest.mark.requirement("S1-08")
def test_each_user_of_an_account_has_a_play_and_gets_the_mail(company: Company, settings: Settings) -> None:
    company.account("acme")
    for name in ("ben", "cleo"):
        company.contact("acme", name, role="champion")
    alerts = [stuck(company, "acme", name) for name in ("ben", "cleo")]
    assert enrol(company.warehouse, reminder(), alerts, settings, MONDAY).enrolled == 2
    assert planned(company) == [
        ("ben@acme.example", "acme-ben", "planned", None),
        ("cleo@acme.example", "acme-cleo", "planned", None),
    ]
    again = stuck(company, "acme", "ben", key="again")
    assert dict(enrol(company.warehouse, reminder(), [again], settings, MONDAY).refused) == {"family": 1}


@pytest.mark.requirement("S1-08", "S1-13")
def test_one_user_is_not_written_to_again_within_the_days_of_the_playbook_and_another_is(
    company: Company, settings: Settings
) -> None:
    company.account("acme")
    company.contact("acme", "ben", role="champion")
    play = reminder(reentry_after_days=30)
    enrol(company.warehouse, play, [stuck(company, "acme", "ben")], settings, MONDAY)
    company.run("update cs.enrolments set status = 'completed', ended_at = %s", MONDAY + DAY)
    later = [stuck(company, "acme", name, key=f"later {name}") for name in ("ben", "ada")]
    enrol(company.warehouse, play, later, settings, MONDAY + 2 * DAY)
    found = company.run(
        "select subject_id, status, reason from cs.enrolments where trigger_id = any(%s) order by 1", later
    )
    assert found == [("acme-ada", "active", None), ("acme-ben", "refused", "reentry")]


@pytest.mark.requirement("S1-08")
@pytest.mark.parametrize("gone", ["deleted_at", "email", "account_id"])
def test_in_place_of_a_user_who_is_gone_nobody_is_written_to(company: Company, settings: Settings, gone: str) -> None:
    company.account("acme")
    ben: dict[str, object] = {"account_id": "acme", "user_id": "acme-ben", "email": "ben@acme.example"}
    value = {"deleted_at": MONDAY - DAY, "email": None, "account_id": "brill"}[gone]
    company.insert("marts.dim_contacts", **ben | {"role": "champion", gone: value})
    enrol(company.warehouse, reminder(), [stuck(company, "acme", "ben")], settings, MONDAY)
    assert planned(company) == [(None, None, "failed", "no_recipient")]


def test_only_an_alert_is_about_a_user(tmp_path: Path) -> None:
    path = tmp_path / "reminder.yaml"
    path.write_text(
        "{playbook: reminder, title: t, description: d, family: f, priority: 1, trigger: {kind: lifecycle}, steps: "
        "[{step: a, day: 0, channel: email, to: user, template: t, intent: inform}]}"
    )
    with pytest.raises(UserError, match=r"steps\[1\]\.to: .*only an alert is about one user"):
        read_playbook(path)
