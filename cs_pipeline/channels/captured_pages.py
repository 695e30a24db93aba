"""How captured messages look: an e-mail in its reader's inbox, a Slack message in its channel, a CRM record as a card.

Only drawing; the templates are in `pages/`. The pages load nothing from elsewhere.
"""

from dataclasses import dataclass
from datetime import datetime

from cs_pipeline.channels.message import Message
from cs_pipeline.channels.slack_blocks import mrkdwn_as_html
from cs_pipeline.html_pages import page_templates

_pages = page_templates("cs_pipeline.channels")
_pages.filters["mrkdwn"] = mrkdwn_as_html


@dataclass(frozen=True)
class Sender:
    """From whom customer mail comes when the message itself does not say."""

    name: str
    email: str


def index_page() -> str:
    """The page that lists every captured message, out of `messages.js` beside it."""
    return _pages.get_template("index.html.j2").render()


def message_page(message: Message, sender: Sender, captured_at: datetime, *, is_preview: bool = False) -> str:
    """One message as its reader would see it, under a line that says what it is and why it exists."""
    return _pages.get_template("message.html.j2").render(
        message=message, sender=sender, captured_at=captured_at, is_preview=is_preview
    )
