"""List the pages and the forms of the site; pages in the order in which the navigation shows them."""

from cs_pipeline.site.form import Form
from cs_pipeline.site.page import Page
from cs_pipeline.site.pages import book, messages

PAGES: tuple[Page, ...] = (
    book.PAGE,
    messages.PAGE,
)
FORMS: tuple[Form, ...] = ()
HOME = PAGES[0].path
