"""Every page in a real browser: on a phone, a tablet and a desk, light, dark and printed, by mouse and by keyboard."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from cs_pipeline.channels.captured_pages import Sender, message_page
from cs_pipeline.channels.message import Message
from cs_pipeline.channels.slack_blocks import plain
from cs_pipeline.site import users
from cs_pipeline.site.page import Page as SitePage
from cs_pipeline.site.registry import PAGES
from tests.builders.browser import chromium, complaints_of, served
from tests.builders.messages import SLACK, TEAMS
from tests.builders.site import ACTOR, HEADER, Sample

pytestmark = [pytest.mark.slow(seconds=45), pytest.mark.xdist_group("browser")]

PAGE_NAMES = [pytest.param(page, id=page.name) for page in PAGES]
WIDTHS = (360, 768, 1280)
SCHEMES = ("light", "dark")
MOST_STOPS = 400
PASSWORD = "correct horse battery"
LINES = "Two accounts changed hands:\nAcme to Olga\nBolt to Pia"
CAPTURED_AT = datetime(2026, 1, 6, 9, 30, tzinfo=UTC)

_NOT_REACHED = """
() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")]
  .filter((each) => each.checkVisibility() && !each.disabled && !each.dataset.reached)
  .map((each) => each.outerHTML.slice(0, 160))
"""
_NOTE_FOCUS = """
() => {
  const here = document.activeElement;
  if (!here || here === document.body) return "none";
  if (here.dataset.reached) return "again";
  here.dataset.reached = "1";
  return getComputedStyle(here).outlineStyle === "none" ? `unseen: ${here.outerHTML.slice(0, 160)}` : "";
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def site(sample: Sample, browser: Browser) -> Iterator[str]:  # no browser, no site
    with served(sample) as address:
        yield address


@pytest.fixture
def known(site: str, browser: Browser) -> Iterator[BrowserContext]:
    """A window of somebody who may act, so that every form is shown."""
    with browser.new_context(base_url=site, extra_http_headers={HEADER: ACTOR}) as context:
        yield context


@pytest.mark.parametrize("shown", PAGE_NAMES)
def test_a_page_fits_every_width_and_scheme_and_paper(known: BrowserContext, sample: Sample, shown: SitePage) -> None:
    page = known.new_page()
    complaints = complaints_of(page)
    for path in sample.examples(shown):
        page.goto(path)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} scrolls at {width} pixels"
        for width, scheme in zip((WIDTHS[0], WIDTHS[-1]), SCHEMES, strict=True):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)  # pyright: ignore[reportArgumentType]
            assert grave(page) == [], f"{path} at {width} pixels, {scheme}"
        page.emulate_media(media="print", color_scheme="light")
        assert not page.locator("nav").first.is_visible(), f"{path} prints the navigation"
        page.emulate_media(media="screen")
    assert complaints == []


@pytest.mark.parametrize("shown", PAGE_NAMES)
def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    known: BrowserContext, sample: Sample, shown: SitePage
) -> None:
    page = known.new_page()
    page.goto(sample.examples(shown)[0])
    unseen: list[str] = []
    for stop in range(MOST_STOPS):
        page.keyboard.press("Tab")
        told = str(page.evaluate(_NOTE_FOCUS))
        if stop == 0:
            assert page.locator(":focus").inner_text() == "Skip to the content"
        if told in ("none", "again"):
            break
        unseen += [told] if told else []
    assert unseen == []
    assert page.evaluate(_NOT_REACHED) == []


def test_somebody_signs_in_and_takes_an_alert_with_the_keyboard_alone_and_without_scripts(
    browser: Browser, changing: Sample
) -> None:
    with changing.warehouse.session() as session:
        users.set_user(session, ACTOR, PASSWORD, "the tests")
    with (
        served(changing, site_user_header="") as address,
        browser.new_context(base_url=address, java_script_enabled=False) as context,
    ):
        page = context.new_page()
        page.goto("/today")
        page.locator("input:focus").wait_for()  # the browser gives it the focus a moment after the page has loaded
        page.keyboard.type(ACTOR)
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/today")
        page.locator("input[name=id]").first.press("Space")
        page.get_by_role("button", name="Take the chosen alerts").press("Enter")
        page.get_by_role("status").wait_for()
        assert page.get_by_role("status").inner_text() == "You look after 1 alert now."
    assert changing.history.count("cs.alerts", f"acknowledged_by = '{ACTOR}'") == 1


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(replace(SLACK, payload={"blocks": plain(LINES)}), id="slack, plain blocks"),
        pytest.param(replace(SLACK, payload={}, body_text=LINES), id="slack, text alone"),
        pytest.param(replace(TEAMS, payload={}, body_text=LINES), id="teams, text alone"),
    ],
)
def test_a_captured_notice_keeps_its_lines(browser: Browser, message: Message) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.set_content(message_page(message, Sender("Customer Success", "cs@example.com"), CAPTURED_AT))
        assert LINES in page.locator("article").inner_text()


def grave(page: Page) -> list[str]:
    """What axe finds that is serious or worse, with where."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for each in found
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"][:3]
    ]
