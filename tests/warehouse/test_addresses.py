"""Two spellings of one mailbox are one, in Python and in SQL alike; what may be two mailboxes stays two."""

import unicodedata

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cs_pipeline.addresses import CAPITALS, address_of
from cs_pipeline.warehouse.connection import Warehouse

KIM = "kim.roe@shared.example"
SPELLINGS = [
    "kim.roe@shared.example",
    "Kim.Roe@Shared.EXAMPLE",
    "  kim.roe@shared.example\t\n",
    "\u00a0kim.roe@shared.example\u2003",
    "\ufeffkim.roe@shared.example",
    "kim.roe\u200b@shared.exa\u00admple",
    "kim\u2060.roe@shared.example\u200e",
    "ｋｉｍ．ｒｏｅ＠ｓｈａｒｅｄ．ｅｘａｍｐｌｅ",
    "kim.roe@shared。example",
    "kim.roe@shared.example.",
    "kim.roe@shared.example,",
    "kim.roe@shared.example;",
    "mailto:kim.roe@shared.example",
    "MAILTO:Kim.Roe@shared.example?subject=Hi%20there",
    "<kim.roe@shared.example>",
    "Kim Roe <kim.roe@shared.example>",
    '"Roe, Kim" <Kim.Roe@shared.example>',
    "Kim Roe <mailto:kim.roe@shared.example>",
    "kim.roe@shared.example <kim.roe@shared.example>",
    "kim.roe@shared.example (Kim Roe)",
    "'kim.roe@shared.example'",
    '"kim.roe@shared.example"',
    "“kim.roe@shared.example”",
    '"kim.roe"@shared.example',
    "kim.roe @ shared.example",
]
SAME = [
    ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
    ("ann@bu\u0308cher.example", "ann@xn--bcher-kva.example"),
    ("ann@XN--BCHER-KVA.example", "ann@xn--bcher-kva.example"),
    ("ann@例え.テスト", "ann@xn--r8jz45g.xn--zckzah"),
    ("ann@пример.рф", "ann@xn--e1afmkfd.xn--p1ai"),
    ("ANN@ПРИМЕР.РФ", "ann@xn--e1afmkfd.xn--p1ai"),
    ("ann@straße.example", "ann@xn--strae-oqa.example"),
    ("JOSÉ@x.example", "josé@x.example"),
    ("jose\u0301@x.example", "josé@x.example"),
    ("o’brien@x.example", "o'brien@x.example"),
    ("İNCE@x.example", "ince@x.example"),
]
APART = [
    ("ann+news@x.example", "ann@x.example"),
    ("a.n.n@gmail.com", "ann@gmail.com"),
    ("ann@googlemail.com", "ann@gmail.com"),
    ("ann@аpple.example", "ann@apple.example"),  # a Cyrillic a
    ("аnn@x.example", "ann@x.example"),
    ("jose@x.example", "josé@x.example"),
    ("ann@sub.x.example", "ann@x.example"),
]
NONE = """
|n/a|-|ann|ann@|@x.example|ann@localhost|ann@@x.example|a b@x.example|ann@x..example|ann@-x.example|ann@x-.example
ann@x.example, bob@x.example|ann@x.example; bob@x.example|ann@x.example bob@x.example|ann@x.example/bob@x.example
ann@x.example, Bob <bob@x.example>|Ann <ann@x.example>, Bob <bob@x.example>|Ann <ann@x.example|ann x.example
.ann@x.example|ann.@x.example|ann@[127.0.0.1]|ann@127.0.0.1|ann@x_y.example|ann@x.e|ann:bob@x.example|"a b"@x.example
ann at x.example|ann@x.example\\nBcc: all@x.example|null|<>|mailto:|ann@bü!cher.example|ann@x.example>
"""
NO_ADDRESSES = [each.replace("\\n", "\n") for line in NONE.strip("\n").splitlines() for each in line.split("|")]


def in_sql(warehouse: Warehouse, texts: list[str]) -> list[str | None]:
    with warehouse.session() as session, session.cursor() as cursor:
        cursor.execute(
            "select cs.address_of(each) from unnest(%s::text[]) with ordinality as given (each, place) order by place",
            [texts],
        )
        return [found for (found,) in cursor.fetchall()]


@pytest.mark.parametrize("text", SPELLINGS)
def test_a_mailbox_is_known_in_every_spelling(text: str) -> None:
    assert address_of(text) == KIM


@pytest.mark.parametrize(("text", "address"), SAME)
def test_letters_of_every_script_and_domains_in_punycode_are_one(text: str, address: str) -> None:
    assert (address_of(text), address_of(address)) == (address, address)


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_may_be_two_mailboxes_stays_two(one: str, other: str) -> None:
    assert None is not address_of(one) != address_of(other) is not None


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_or_several_is_none(text: str) -> None:
    assert address_of(text) is None


@pytest.mark.parametrize("local", ["a" * 64, "a" * 65])
def test_an_address_is_no_longer_than_mail_servers_take(local: str) -> None:
    assert (address_of(f"{local}@x.example") is None) == (len(local) > 64)
    assert address_of(f"ann@{'x' * 64}.example") is None
    assert address_of(f"ann@{'x.' * 130}example") is None


def test_sql_reads_every_spelling_as_python_does(warehouse: Warehouse) -> None:
    texts = [*SPELLINGS, *(each for pair in (*SAME, *APART) for each in pair), *NO_ADDRESSES, "a" * 65 + "@x.example"]
    assert in_sql(warehouse, texts) == [address_of(text) for text in texts]


def test_sql_knows_the_same_capital_letters_as_python(warehouse: Warehouse) -> None:
    signs = [chr(code) for code in range(0x21, 0x10000) if unicodedata.category(chr(code))[0] in "LMNPS"]
    texts = [f"x{sign}@x{sign}x.example" for sign in signs]
    found = in_sql(warehouse, texts)
    assert [text for text, each in zip(texts, found, strict=True) if each != address_of(text)] == []
    assert len(CAPITALS) > 1_000


ADDRESSES = st.lists(
    st.one_of(
        st.sampled_from(
            [*"aZ09.+-_@<>,;:'\"()[]\\? `/\t\n\u00a0\u200bＡ．＠üÜßаİ例。’“", "mailto:", "xn--", ".example"]
        ),
        st.characters(codec="utf-8", exclude_categories=["Cn", "Cs", "Co"], exclude_characters="\x00"),
    ),
    max_size=25,
).map("".join)
LIKELY = st.tuples(ADDRESSES, ADDRESSES, st.sampled_from([".example", ".de", ".рф", ""])).map(
    lambda p: f"{p[0]}@{p[1]}{p[2]}"
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(ADDRESSES | LIKELY, min_size=20, max_size=60))
@example(["x" * 5_000 + "@x.example"])
def test_sql_and_python_agree_on_whatever_comes_and_read_an_address_as_itself(
    warehouse: Warehouse, texts: list[str]
) -> None:
    found = [address_of(text) for text in texts]
    assert in_sql(warehouse, texts) == found
    assert [address_of(each) for each in found] == found
