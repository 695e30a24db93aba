"""The page of a preview: one file with every step of a play, each as the captured messages show it."""

from cs_pipeline.channels.captured_pages import Sender, message_page
from cs_pipeline.html_pages import page_templates
from cs_pipeline.plays.reasons import meaning
from cs_pipeline.plays.simulation.preview import Preview
from cs_pipeline.reports.plays.text import preview_refusal
from cs_pipeline.settings import Settings

_pages = page_templates("cs_pipeline.reports")


def preview_page(play: Preview, settings: Settings) -> str:
    """The page as HTML. What customers wrote is escaped, and each message stays in a frame of its own."""
    sender = Sender(settings.sender_name, settings.sender_email)
    shown = [
        (step, message_page(step.message, sender, play.at, is_preview=True) if step.message else None)
        for step in play.steps
    ]
    return _pages.get_template("preview.html.j2").render(
        play=play,
        steps=shown,
        meaning=meaning,
        refusal=preview_refusal(play),
    )
