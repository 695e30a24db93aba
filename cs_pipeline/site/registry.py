"""List the pages and the forms of the site; pages in the order in which the navigation shows them."""

from cs_pipeline.site.form import Form
from cs_pipeline.site.forms import alerts, plays, scores
from cs_pipeline.site.page import Page
from cs_pipeline.site.pages import account, book, messages, today

PAGES: tuple[Page, ...] = (
    today.PAGE,
    book.PAGE,
    account.PAGE,
    messages.PAGE,
)
FORMS: tuple[Form, ...] = (*alerts.FORMS, *plays.FORMS, *scores.FORMS)
HOME = PAGES[0].path
