"""Let people decide about actions and tasks, and start plays, by the functions of `plays`."""

from collections.abc import Callable

from cs_pipeline.plays.enrolment import held_back
from cs_pipeline.plays.enrolment.manual import start as start_play
from cs_pipeline.plays.messages.renderer import Renderer
from cs_pipeline.plays.outbox.crm_sync import complete
from cs_pipeline.plays.outbox.manual_actions import DECISIONS, Verb, decide
from cs_pipeline.plays.playbooks.reading import load_playbooks, playbook_named
from cs_pipeline.plays.triggers.manual import Ask
from cs_pipeline.site.form import Fields, Form
from cs_pipeline.site.page import PageRequest
from cs_pipeline.site.words import counted


def _deciding(verb: Verb) -> Callable[[PageRequest, Fields], str]:
    def submit(asked: PageRequest, fields: Fields) -> str:
        with asked.session() as session:
            count = decide(session, verb, fields.ids(), asked.reader.name, asked.now)
        return f"{counted(count, 'action')} {DECISIONS[verb].done}."

    return submit


def start(asked: PageRequest, fields: Fields) -> str:
    """Start a play of an account; says whether it was enrolled, and if not why."""
    playbook = playbook_named(fields.text("playbook"), load_playbooks(asked.settings.config))
    Renderer(asked.settings).check(playbook)
    ask = Ask(asked.reader.name, fields.text("reason"))
    found = start_play(asked.warehouse, playbook, [fields.text("account")], ask, asked.settings, asked.now)
    if found.trip is not None:
        return found.trip.words
    row = found.outcomes.iloc[0]
    again = "" if found.new else " It was asked for today already."
    why = f", since {row['words']}" if row["words"] else ""
    return f"{playbook.title}: {row['outcome']}{why}.{again}"


def release(asked: PageRequest, fields: Fields) -> str:
    """Enrol what the circuit breaker held back."""
    playbook = playbook_named(fields.text("playbook"), load_playbooks(asked.settings.config))
    found = held_back.release(asked.warehouse, playbook, asked.settings, asked.reader.name, asked.now)
    refused = sum(found.refused.values())
    return f"{playbook.title} goes on: {found.enrolled:,} enrolled, {refused:,} refused by now."


def dismiss(asked: PageRequest, fields: Fields) -> str:
    """Refuse what the circuit breaker held back."""
    playbook = playbook_named(fields.text("playbook"), load_playbooks(asked.settings.config))
    count = held_back.dismiss(asked.warehouse, playbook, asked.settings, asked.reader.name, asked.now)
    return f"{playbook.title}: {counted(count, 'trigger')} refused; the next batch is judged anew."


def done(asked: PageRequest, fields: Fields) -> str:
    """Mark tasks as done."""
    with asked.session() as session:
        count = complete(session, fields.ids(), asked.reader.name, asked.now)
    return f"{counted(count, 'task')} done." if count else "It was done already."


FORMS = (
    Form("/do/actions/approve", _deciding("approve")),
    Form("/do/actions/hold", _deciding("hold")),
    Form("/do/actions/cancel", _deciding("cancel")),
    Form("/do/actions/resend", _deciding("resend")),
    Form("/do/plays/start", start),
    Form("/do/plays/release", release),
    Form("/do/plays/dismiss", dismiss),
    Form("/do/tasks/done", done),
)
