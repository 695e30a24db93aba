"""Draw captured messages: an e-mail in its reader's inbox, a Slack message in its channel, a CRM record as a card.

Only drawing; `pages/` has one template for each kind of message. The pages load nothing from elsewhere.
"""

from dataclasses import dataclass
from datetime import datetime

from cs_pipeline.channels.message import Message
from cs_pipeline.channels.picture_data import data_url, with_pictures
from cs_pipeline.channels.registry import KINDS
from cs_pipeline.html_pages import page_templates

_pages = page_templates("cs_pipeline.channels")
_pages.globals["kinds"] = tuple(KINDS.values())
_pages.filters["with_pictures"] = with_pictures
_pages.globals["data_url"] = data_url
_pages.filters.update(
    (f"{kind.name}_markup", kind.layout.as_html) for kind in KINDS.values() if kind.layout is not None
)


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
    return _pages.get_template(f"{message.channel}.html.j2").render(
        message=message, sender=sender, captured_at=captured_at, is_preview=is_preview
    )
