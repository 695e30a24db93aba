"""Let people decide about alerts, by `alerts.decisions`."""

from cs_pipeline.alerts import decisions
from cs_pipeline.alerts.rulebook import rule_named
from cs_pipeline.site.form import Fields, Form
from cs_pipeline.site.page import PageRequest
from cs_pipeline.site.words import counted


def acknowledge(asked: PageRequest, fields: Fields) -> str:
    """Take alerts."""
    with asked.session() as session:
        count = decisions.acknowledge(session, fields.ids(), asked.reader.name, asked.now)
    return f"You look after {counted(count, 'alert')} now." if count else "Somebody looks after it already."


def snooze(asked: PageRequest, fields: Fields) -> str:
    """Tell nobody of alerts until the end of a day."""
    until = fields.end_of_day("until")
    with asked.session() as session:
        count = decisions.snooze(session, fields.ids(), until, fields.text("reason"), asked.reader.name, asked.now)
    return f"Nobody is told of {counted(count, 'alert')} until the end of {fields.day('until')}."


def silence(asked: PageRequest, fields: Fields) -> str:
    """Tell nobody of a rule, of an account, or of one about the other, until the end of a day."""
    rule, account, until = fields.text("rule") or None, fields.text("account") or None, fields.end_of_day("until")
    if rule:
        rule_named(rule, dict(asked.rules))
    with asked.session() as session:
        number = decisions.silence(session, rule, account, until, fields.text("reason"), asked.reader.name, asked.now)
    about = " about ".join(filter(None, [rule, account]))
    return f"Silence {number}: nobody is told of {about} until the end of {fields.day('until')}."


def lift(asked: PageRequest, fields: Fields) -> str:
    """End silences."""
    numbers = fields.ids()
    with asked.session() as session:
        for number in numbers:
            decisions.lift(session, number, asked.now)
    return f"{counted(len(numbers), 'silence')} lifted."


def release(asked: PageRequest, fields: Fields) -> str:
    """Tell people of what a rule holds."""
    rule = rule_named(fields.text("rule"), dict(asked.rules))
    with asked.session() as session:
        count = decisions.release(session, rule, asked.reader.name, asked.settings, asked.now)
    return f"People are told of {counted(count, 'alert')} of {rule.name}."


def dismiss(asked: PageRequest, fields: Fields) -> str:
    """Close what a rule holds."""
    rule = fields.text("rule")
    with asked.session() as session:
        count = decisions.dismiss(session, rule, asked.reader.name, asked.now)
    return f"{counted(count, 'alert')} of {rule} dismissed."


FORMS = (
    Form("/do/alerts/acknowledge", acknowledge),
    Form("/do/alerts/snooze", snooze),
    Form("/do/alerts/silence", silence),
    Form("/do/alerts/lift", lift),
    Form("/do/alerts/release", release),
    Form("/do/alerts/dismiss", dismiss),
)
