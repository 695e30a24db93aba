"""Let people set a score by hand, and withdraw it, by `history.overrides`."""

from cs_pipeline.errors import UserError
from cs_pipeline.health.selection import load_selection
from cs_pipeline.history.overrides import OverrideRequest, set_override, withdraw_override
from cs_pipeline.site.form import Fields, Form
from cs_pipeline.site.page import PageRequest


def override(asked: PageRequest, fields: Fields) -> str:
    """Set score or band of an account until a day."""
    account = fields.text("account")
    wanted = OverrideRequest(
        account,
        fields.text("reason"),
        asked.reader.name,
        fields.day("until"),
        fields.number("score"),
        fields.text("band") or None,
    )
    first = set_override(asked.warehouse, load_selection(asked.settings.config), wanted, asked.now)
    return f"Set for {account}: it counts from the week of {first}, when that week is scored."


def withdraw(asked: PageRequest, fields: Fields) -> str:
    """Let the model count again."""
    account = fields.text("account")
    with asked.session() as session:
        if not withdraw_override(session, account, asked.reader.name, asked.now):
            raise UserError(f"Nothing is set for '{account}'")
    return f"{account} has the model's score again from the week that is running."


FORMS = (Form("/do/scores/override", override), Form("/do/scores/withdraw", withdraw))
