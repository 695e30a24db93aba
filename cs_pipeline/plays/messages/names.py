"""Tell what of a name field is a name: the first name to greet a person by, and what exports write for none.

Where there is doubt nobody is greeted by name: `Hello,` is never wrong. Nothing here decides who is written to.
"""

import re
import unicodedata


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_NOT_A_NAME = _words(
    """
    null none undefined void empty blank missing deleted removed redacted erased anonymized anonymised default
    unknown unnamed untitled unassigned unspecified noname nobody someone somebody placeholder dummy fake sample
    test testuser user username customer client contact owner guest visitor member employee admin administrator
    root system api bot info support sales marketing billing accounting office team noreply donotreply webmaster
    postmaster hostmaster helpdesk anonymous private confidential hidden withheld firstname lastname fname lname
    givenname forename familyname surname fullname displayname yourname name tbd tba tbc todo string varchar
    object asdf asdfgh qwerty qwertz azerty lorem unbekannt unbenannt anonym vorname nachname keine nutzer
    benutzer kunde kundin ohnename inconnu inconnue anonyme prénom prenom utilisateur client cliente usuario
    usuaria desconocido desconocida desconhecido desconhecida anónimo anonimo anônimo anónima nombre apellido
    sconosciuto sconosciuta utente cognome onbekend onbekende voornaam achternaam gebruiker klant geen ukendt
    okänd okant ukjent förnamn efternamn fornavn etternavn efternavn kund tuntematon etunimi sukunimi neznámý
    neznámá nieznany nieznana brak ismeretlen necunoscut bilinmiyor bilinmeyen isimsiz kullanıcı неизвестно
    неизвестный неизвестная аноним пользователь клиент имя тест невідомо невідомий користувач άγνωστο άγνωστος
    未知 不明 不详 不詳 无 無 無し なし 无名 無名 名無し 匿名 暂无 未设置 未設定 未填写 未登録 名前なし 姓名
    氏名 名前 测试 テスト ユーザー 用户 用戶 客户 없음 미상 무명 익명 이름없음
    알수없음 이름 테스트 사용자 مجهول معروف مستخدم لايوجد אין משתמש ไม่ทราบ ไม่มี tanpanama tidakada
    """
)
"""No name, whatever stands beside it; letters only, in lower case. No word is here that is also a given name."""

_NOT_A_NAME_ALONE = _words(
    """
    na nil no not nome nom name foo bar baz abc xyz true false yes first last ohne sans sin sem senza ingen
    notavailable notapplicable notprovided notspecified notset notknown notgiven notdefined notfound nodata
    novalue nofirstname noaplica nodisponible sinnombre sinnome semnome sansnom nonrenseigné nonrenseigne
    nondéfini nãoinformado naoinformado nonspecificato nichtangegeben keinname keineangabe nichtverfügbar
    nichtbekannt geennaam ingetnamn intetnavn beznázvu brakdanych неуказано безимени безім нетданных нет khôngcó
    khôngrõ accountspayable itdepartment humanresources newuser demouser demo foobar xx firstlast serviceaccount
    غيرمعروف לאידוע
    """
)
"""No name where it is all there is, in one word or two; some are given names beside another (Na Li)."""

_NOT_A_NAME_EVER = _NOT_A_NAME | _NOT_A_NAME_ALONE

_CAPITALS_ONLY = frozenset(["nan"])
"""No name unless it is written as one: `NaN`, `nan` and `NAN` are what software writes, `Nan` is a person."""

_TITLES = _words(
    """
    mr mrs ms miss mx mister missus dr prof professor doctor sir madam herr herrn frau hr fr monsieur madame
    mademoiselle mme mlle señor señora señorita sr sra srta senhor senhora signor signora signorina sig dott
    dottor dottssa ing dipl mag rev reverend hon dhr mevr mevrouw meneer hra rouva господин госпожа г-н г-жа
    κύριος κυρία
    """
)

_COMPANY_ENDINGS = _words(
    """
    inc incorporated llc llp ltd limited gmbh mbh corp corporation plc pty sarl srl kgaa ug ohg eurl bvba
    company holding holdings department dept team ооо зао ао
    """
)
_COMPANY_ENDINGS_IN_CAPITALS = _words("AG SA SE NV BV AB OY AS KG SAS SPA SL KK")
"""Endings that are also family names: of a company only in capitals beside words that are not, or with dots."""
_COMPANY_WORDS = re.compile("株式会社|有限会社|有限公司|有限责任公司|주식회사|유한회사")

_NO_VALUE = _words("null none undefined unknown nan na nil blank empty missing")
_NO_ACCOUNT_NAME = _words(
    "accountname companyname unknownaccount unknowncompany noaccount nocompany nocompanyname noaccountname"
)

_GARBAGE = re.compile(r"[@<>{}\[\]%$|\\=#^~`*_]|://|\bwww\.", re.IGNORECASE)
_FIRST_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f'’ʼ‘·・‐-]|\u200c|\u200d)*")
_IN_ONE_WORD = re.compile(r"[\u1100-\u11ff\u3040-\u30ff\u3131-\u318e\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af々ー・]+")
_MARKS = ("Mn", "Mc")
LONGEST_FIRST_NAME = 40


def person_name(text: object) -> str | None:
    """The whole name that `text` (one line) holds; None where it holds none: a placeholder, an address, markup."""
    if not isinstance(text, str):
        return None
    name = _unquoted(text.strip())
    words = [word for each in name.split() if (word := _letters(each))]
    if not words or _GARBAGE.search(name) or _is_placeholder(name, words) or _is_company(name):
        return None
    return name


def first_name(text: object) -> str | None:
    """By what the person of that name is greeted; None where the field does not say it beyond doubt.

    Where the family name stands first (Chinese, Japanese, Korean) it is the whole name. A title says that the field
    goes on with a family name or a degree, so that nobody is greeted `Mr` or by the family name alone.
    """
    name = person_name(text)
    if name is None:
        return None
    words = name.split()
    in_one_word = [word for word in words if _IN_ONE_WORD.fullmatch(word)]
    if in_one_word and in_one_word[0] == words[0]:
        return " ".join(in_one_word)
    first, letters = words[0], _letters(words[0])
    is_written_as_one = _FIRST_NAME.fullmatch("".join(s for s in first if unicodedata.category(s) not in _MARKS))
    if not is_written_as_one or len(first) > LONGEST_FIRST_NAME or letters in _TITLES or first.lower() in _TITLES:
        return None
    return None if len(letters) < 2 else first


def account_name(text: object) -> str | None:
    """The name of a company, as it is written; None where exports write that there is none."""
    if not isinstance(text, str) or not any(sign.isalnum() for sign in text):
        return None
    words = [word for each in text.split() if (word := _letters(each))]
    whole = "".join(words)
    is_alone = any(whole in known for known in (_NOT_A_NAME_EVER, _CAPITALS_ONLY, _NO_ACCOUNT_NAME))
    return None if words and (is_alone or set(words) <= _NO_VALUE) and not _has_digit(text) else text


def _unquoted(name: str) -> str:
    return name[1:-1].strip() if len(name) > 1 and name[0] in "\"'“‘«„" and name[-1] in "\"'”’»“" else name


def _letters(word: str) -> str:
    """The letters of a word, in lower case: `N/A` is `na`, `[First` is `first`."""
    kept = (sign for sign in word if sign.isalpha() or unicodedata.category(sign) in _MARKS)
    return unicodedata.normalize("NFC", "".join(kept)).lower()


def _is_placeholder(name: str, words: list[str]) -> bool:
    whole = "".join(words)
    if words[0] in _NOT_A_NAME or "n/a" in name.lower().split():
        return True
    if not {whole, "".join(words[:2])}.isdisjoint(_NOT_A_NAME_EVER):  # `No name provided`
        return True
    if set(words) <= _NOT_A_NAME_EVER:
        return True
    if set(words) <= _CAPITALS_ONLY and not name.istitle():
        return True
    if not name[0].isalpha() and not name[0].isspace() and name[-1:] in ")>]":  # `(blank)`, `(not set)`
        return True
    is_abbreviated = re.fullmatch(r"(?:\w\s?[./]\s?){1,3}\w?\.?", name) is not None  # `k. A.`, `s/n`
    return is_abbreviated or (len(whole) > 2 and len(set(whole)) == 1)


def _is_company(name: str) -> bool:
    *before, last = name.replace(",", " ").split()
    if _COMPANY_WORDS.search(name):
        return True
    if not before:
        return False
    plain = last.replace(".", "")
    if plain.lower() in _COMPANY_ENDINGS:
        return True
    is_ending = plain in _COMPANY_ENDINGS_IN_CAPITALS
    return is_ending and (last.count(".") > 1 or not all(word.isupper() for word in before))


def _has_digit(text: str) -> bool:
    return any(sign.isdigit() for sign in text)
