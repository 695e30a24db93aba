"""People are greeted by their first name, never by what an export writes where it has none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cs_pipeline.plays.messages import names

NO_NAMES = """
NULL|null|Null|(null)|<null>|NONE|None|None None|nil|NIL|undefined|undefined undefined
UNDEFINED|void|-|--|—|–|.|..|...|?|???|!|*|_|/|N/A|n/a|N/A N/A|#N/A|N.A.|n.a.|NA|na|NA NA
N/A Lee|Unknown|UNKNOWN|Unknown User|unknown unknown|Unknown Name|Name Unknown|Test|test
TEST USER|Test Test|test123|Test Account|User|User 1|user123|Customer 5|Guest|Guest User|Admin
Administrator|(blank)|(empty)|(not set)|(no name)|[blank]|[First Name]|[FIRST_NAME] [LAST_NAME]
[Name]|First Name|First Last|FirstName LastName|Firstname|fname lname|FNAME|Your Name|no name
No Name|No name provided|Not Provided|not available|Not Applicable|Not Specified|not set
Not Given|TBD|tbc|xxx|XXX|XX|aaa|asdf|asdf asdf|qwerty|foo|foo bar|12345|007|0|1.5|2024-01-01
+49 30 1234|{{ owner_email }}|{{first_name}}|{first_name}|{{ contact.first_name | default }}
{% if x %}|{%name%}|%FNAME%|%%first%%|*|FNAME|*|${name}|$name|#{name}|<%= name %>|[[name]]
@name|%recipient.name%|\\N|<script>alert(1)</script>|<b>Ann</b>|&nbsp;|&lt;b&gt;|ann@x.example
Ann <ann@x.example>|mailto:ann@x.example|https://x.example|www.x.example|NaN|nan|NAN|nan nan
NaN NaN|true|false|Anonymous|anonymous user|deleted user|Deleted|[deleted]|REDACTED
redacted redacted|Acme Inc.|Acme, Inc|Acme GmbH|Acme Ltd|Acme Ltd.|Nordwind Logistik AG
Foo S.A.|Acme Corp|Acme Corporation|Sales Team|Support|info|Billing Department|Nord Pty Ltd
株式会社アクメ|北京有限公司|ООО Ромашка ООО|unbekannt|Unbekannt Unbekannt|k.A.|k. A.|keine Angabe|Kein Name
ohne|inconnu|Inconnue|sans nom|non renseigné|desconocido|sin nombre|Sin Nombre|s/n|sem nome
não informado|sconosciuto|senza nome|onbekend|n.v.t.|geen|okänd|ukendt|tuntematon|nieznany|brak
ismeretlen|bilinmiyor|неизвестно|Не указано|нет|без имени|невідомо|未知|不明|なし|無|名無し|匿名|暂无|未设置|없음
알 수 없음|이름 없음|مجهول|غير معروف|לא ידוע|אין|không có|J|A.|A B|X|Я|Q.|o|Mr|Mr.|Mr Lee|Mr. Lee
MRS Lee|Ms Ann Lee|Miss Lee|Dr Lee|Dr. Ann Lee|Prof. Dr. Ann Lee|Herr Lee|Frau Lee|Monsieur Lee
Mme Lee|Sr. Lee|Sra Lee|Señor Lee|Г-н Иванов|Господин Иванов|LEE, ANN|Lee, Ann|Lee,Ann|ann.lee
ann_lee|Ann/Bob|A. Lee|J.R. Smith|lee2|3M|, Ann|- Lee|"NULL"|'-'|dummy|placeholder|string
Sample User|noreply|do not reply|Accounts Payable
"""
NO_FIRST_NAMES = [each for line in NO_NAMES.strip().splitlines() for each in line.split("|") if each] + [
    "*|FNAME|*",
    "",
]

FIRST_NAMES = [
    ("Ann Lee", "Ann"),
    ("ann lee", "ann"),
    ("Ann", "Ann"),
    ("Christopher Null", "Christopher"),
    ("Jennifer Null", "Jennifer"),
    ("Ann Test", "Ann"),
    ("Les Blank", "Les"),
    ("Christopher Guest", "Christopher"),
    ("Nan", "Nan"),
    ("Nan Goldin", "Nan"),
    ("Na Li", "Na"),
    ("Li Na", "Li"),
    ("An", "An"),
    ("An Nguyen", "An"),
    ("Bo", "Bo"),
    ("Bo Derek", "Bo"),
    ("Nil Solà", "Nil"),
    ("Bar Cohen", "Bar"),
    ("Don Lee", "Don"),
    ("Prince Boateng", "Prince"),
    ("Ann Co", "Ann"),
    ("Maria Sá", "Maria"),
    ("ANNA AS", "ANNA"),
    ("O'Brien", "O'Brien"),
    ("O’Brien", "O’Brien"),
    ("Sinéad O'Connor", "Sinéad"),
    ("D'Arcy Lee", "D'Arcy"),
    ("Jean-Luc Picard", "Jean-Luc"),
    ("Ann (Annie) Lee", "Ann"),
    ("Ann Lee (she/her)", "Ann"),
    ('"Ann Lee"', "Ann"),
    ("Ann Lee Jr.", "Ann"),
    ("Ann Lee 2", "Ann"),
    ("Ann 😀", "Ann"),
    ("李小龙", "李小龙"),
    ("李 小龙", "李 小龙"),
    ("山田 太郎", "山田 太郎"),
    ("김민준", "김민준"),
    ("アン・リー", "アン・リー"),
    ("محمد علي", "محمد"),
    ("علی‌رضا احمدی", "علی‌رضا"),
    ("अनिता शर्मा", "अनिता"),
    ("สมชาย ใจดี", "สมชาย"),
    ("דוד כהן", "דוד"),
    ("Анна Ли", "Анна"),
    ("Мария", "Мария"),
    ("Ελένη Παπά", "Ελένη"),
    ("Nguyễn Văn An", "Nguyễn"),
    ("Zoe\u0308 Lee", "Zoe\u0308"),
    ("Žofia", "Žofia"),
]


@pytest.mark.parametrize("text", NO_FIRST_NAMES)
def test_what_is_no_name_greets_nobody(text: str) -> None:
    assert names.first_name(text) is None


@pytest.mark.parametrize(("text", "first"), FIRST_NAMES)
def test_real_names_are_greeted_whatever_they_resemble(text: str, first: str) -> None:
    assert names.first_name(text) == first
    assert names.person_name(text) is not None


@pytest.mark.parametrize("text", ["Mr Lee", "Dr. Ann Lee", "LEE, ANN"])
def test_a_name_without_a_sure_first_name_is_still_a_name(text: str) -> None:
    assert (names.person_name(text), names.first_name(text)) == (text, None)


@pytest.mark.parametrize(
    "text",
    ["NULL", "N/A", "-", "...", "unknown", "Unknown Company", "None None", "(blank)", "[Company Name]", "nan", "#N/A"],
)
def test_what_is_no_name_of_a_company_is_missing(text: str) -> None:
    assert names.account_name(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Acme Inc.",
        "Test Equipment Ltd",
        "Null & Sons",
        "3M",
        "123",
        "{{7*7}}",
        "<b>Acme</b>",
        "Support.com",
        "无印良品",
    ],
)
def test_a_company_is_called_as_it_calls_itself(text: str) -> None:
    assert names.account_name(text) == text


@given(st.text(max_size=30))
def test_a_greeting_holds_letters_only_and_never_fails(text: str) -> None:
    first = names.first_name(text)
    assert first is None or (any(sign.isalpha() for sign in first) and not set(first) & set("<>{}[]%@$|\\#0123456789"))
