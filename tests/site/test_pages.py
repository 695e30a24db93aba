"""Every page of the site, as the registry lists them."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from cs_pipeline.clock import Clock
from cs_pipeline.settings import Settings
from cs_pipeline.site.application import site_app
from cs_pipeline.site.database import PooledWarehouse
from cs_pipeline.site.page import Page
from cs_pipeline.site.registry import PAGES
from cs_pipeline.warehouse.connection import Warehouse
from tests.builders.site import HOSTILE, Sample

PAGE_NAMES = [pytest.param(page, id=page.name) for page in PAGES]


@pytest.mark.parametrize("page", PAGE_NAMES)
def test_every_page_answers(reader: TestClient, sample: Sample, page: Page) -> None:
    for path in sample.examples(page):
        answer = reader.get(path)
        assert answer.status_code == 200, answer.text
        assert "<h1" in answer.text


@pytest.mark.parametrize("page", PAGE_NAMES)
def test_hostile_text_stays_text(reader: TestClient, sample: Sample, page: Page) -> None:
    for path in sample.examples(page):
        text = reader.get(path).text
        assert HOSTILE not in text
        assert "<script>" not in text


def test_every_page_answers_before_anything_is_loaded_and_says_what_to_do(warehouse: Warehouse, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=SecretStr(warehouse.url))
    pool = PooledWarehouse(warehouse.url)
    with TestClient(site_app(settings, pool, Clock(None)), base_url="http://127.0.0.1:3001") as client:
        for page in PAGES:
            if page.examples is None:
                answer = client.get(page.path)
                assert answer.status_code == 200, f"{page.path}: {answer.text}"
        assert "No account is scored yet." in client.get("/today").text
        assert "No week is scored yet." in client.get("/data").text
    pool.close()


def test_the_first_page_is_that_of_the_navigation(reader: TestClient) -> None:
    assert reader.get("/").headers["location"] == PAGES[0].path


def test_a_page_that_is_not_there_says_so(reader: TestClient) -> None:
    answer = reader.get("/nothing")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text


@pytest.mark.parametrize("page", PAGE_NAMES)
def test_what_no_text_holds_in_an_address_is_no_error_of_ours(reader: TestClient, sample: Sample, page: Page) -> None:
    for path in sample.examples(page):
        assert reader.get(f"{path}?search=%00%ff&after=%00&before=x&owner=%00").status_code == 200
