"""Let people note what happened with an account, by `history.conversations`."""

from datetime import timedelta

from cs_pipeline.history.conversations import Conversation, note_conversation
from cs_pipeline.site.form import Fields, Form
from cs_pipeline.site.page import PageRequest
from cs_pipeline.site.words import plain


def converse(asked: PageRequest, fields: Fields) -> str:
    """Note a conversation, as held at noon of its day, or just now where it is of today."""
    account, kind = fields.text("account"), fields.text("kind")
    noon = fields.end_of_day("held_on") - timedelta(hours=12)
    is_today = fields.day("held_on") == asked.now.astimezone(fields.zone).date()
    held = Conversation(account, kind, asked.now if is_today else noon, asked.reader.name, fields.text("note"))
    note_conversation(asked.warehouse, held, asked.now)
    return f"Noted: {plain(kind)} on {fields.day('held_on')}. The next scored week counts it."


FORMS = (Form("/do/accounts/converse", converse),)
