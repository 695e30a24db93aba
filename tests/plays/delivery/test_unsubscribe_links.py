"""The team's unsubscribe page finds the address of a message by what its link says."""

from urllib.parse import parse_qs, urlsplit

from cs_pipeline.clock import Clock
from cs_pipeline.plays.enrolment.enrol import enrol
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.messages.samples import everything_known
from cs_pipeline.plays.playbooks.reading import load_playbooks
from cs_pipeline.plays.playbooks.schema import CUSTOMER_ROLES
from cs_pipeline.settings import Settings
from tests.builders.company import MONDAY, Company, save_play
from tests.builders.delivering import deliver

MAIL = {"step": "s", "day": 0, "channel": "email", "to": "champion", "template": "t", "intent": "educate"}
TO_US = {**MAIL, "step": "ours", "to": "owner", "intent": "inform"}


class _Mail:
    playbook, family, account_id, recipient, due_at = "yellow_adoption", "save", "acme", "ada@acme.example", MONDAY

    def __init__(self, action_key: str) -> None:
        self.action_key = action_key


def test_the_digest_of_a_link_leads_to_the_address_and_the_message(
    company: Company, settings: Settings, clock: Clock
) -> None:
    company.account("acme", severity=1)
    enrol(company.warehouse, save_play(steps=[MAIL, TO_US], exit=[]), [company.fall("acme")], settings, MONDAY)
    deliver(company.warehouse, settings, clock)
    ((key,),) = company.run("select action_key from cs.actions where step = 's'")
    playbook = load_playbooks(None)["yellow_adoption"]
    message = Renderer(settings).render(
        playbook, playbook.step_named("quick_guide"), everything_known("score_change"), _Mail(key)
    )
    (digest,) = parse_qs(urlsplit(str(message.payload["unsubscribe_url"])).query)["message"]
    found = company.run("select address, account_id, step, action_key from cs.customer_mails where digest = %s", digest)
    assert found == [("ada@acme.example", "acme", "s", key)]
    assert company.column("select count(*) from cs.customer_mails") == [1]


def test_the_view_knows_every_role_of_customers(company: Company) -> None:
    ((definition,),) = company.run("select pg_get_viewdef('cs.customer_mails')")
    assert all(f"'{role}'" in definition for role in CUSTOMER_ROLES)
