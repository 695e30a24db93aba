"""Let people say how likely a renewal is by their own judgement, by `kpis.calls`."""

from cs_pipeline.errors import UserError
from cs_pipeline.kpis.calls import Call, record_call, renewal_named
from cs_pipeline.site.form import Fields, Form
from cs_pipeline.site.page import PageRequest


def call(asked: PageRequest, fields: Fields) -> str:
    """Keep what they expect of the next renewal of a subscription; it stands beside the forecast."""
    percent = fields.number("percent")
    if percent is None:
        raise UserError("Say how likely it is, 0 to 100")
    with asked.session() as session:
        ahead = renewal_named(session, fields.text("subscription"), asked.now)
        record_call(session, ahead, Call(percent / 100, fields.text("reason"), asked.reader.name), asked.now)
    return f"{percent:g}% for the renewal of {ahead.subscription_id} on {ahead.renewal_date}."


FORMS = (Form("/do/renewals/call", call),)
