"""Turn messages into requests of SendGrid's v3 mail send: which go together, and what each request says.

Mails of one step differ in a few words, so one request carries many of them: the content they share once, and for
each person what differs, as substitutions. What a person reads is the same to the byte, however mails are put
together. Nothing here talks to SendGrid.
"""

import base64
import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sendgrid.helpers.mail import (
    Asm,
    Attachment,
    Category,
    Content,
    ContentId,
    CustomArg,
    Disposition,
    FileContent,
    FileName,
    FileType,
    From,
    GroupId,
    Header,
    Mail,
    MailSettings,
    Personalization,
    ReplyTo,
    SandBoxMode,
    Substitution,
    To,
)

from cs_pipeline.channels.message import Message, Picture

ACTION_KEY = "action_key"
LONGEST_CATEGORY = 255
MOST_PERSONS = 1_000
MOST_CUSTOM_ARGUMENTS = 10_000
"""Bytes of all custom arguments; SendGrid does not say whether of a person or of a request, so of a request."""
MOST_SUBSTITUTIONS = 40_000
"""Bytes of one person's substitutions; SendGrid allows 50,000."""

Pieces = tuple[list[str], ...]
"""The contents of a mail, cut where mails of one template differ."""

_HTML_PIECES = re.compile(r"(?<=>)")
_TEXT_PIECES = re.compile(r"(?<=\n)")


@dataclass(frozen=True)
class Sending:
    """How the team sends: its verified address, the unsubscribe group of customer mail, and whether for show only.

    `has_unsubscribe_page`: the page to which unsubscribe links lead can be reached from outside. `is_one_click`: it
    takes the POST of RFC 8058.
    """

    sender_email: str
    unsubscribe_group: int | None = None
    has_unsubscribe_page: bool = True
    is_one_click: bool = False
    is_sandbox: bool = False


@dataclass(frozen=True)
class _Shared:
    """Content with tags where persons differ, and for each person what stands in their place."""

    content: tuple[str, ...]
    substitutions: tuple[Mapping[str, str], ...]


def is_address(recipient: str) -> bool:
    """Whether SendGrid's library takes `recipient` for one address, whole; from anything else it makes another."""
    return bool(recipient) and To(recipient).email == recipient


def requests(messages: Sequence[Message], sending: Sending) -> Iterator[tuple[list[int], Mail]]:
    """The requests that carry `messages`, each with the places of its messages."""
    pieces = [_pieces(message) for message in messages]
    alike: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for place, message in enumerate(messages):
        alike[(*batch_key(message), *map(len, pieces[place]))].append(place)
    for places in alike.values():
        for together in _within_limits(places, messages):
            yield (
                together,
                _mail([messages[place] for place in together], [pieces[place] for place in together], sending),
            )


def batch_key(message: Message) -> tuple[object, ...]:
    """What a request says once of all its mails."""
    is_for_customer = _text(message, "unsubscribe_url") is not None
    names = (_text(message, "sender_name"), _text(message, "reply_to"), message.category, message.playbook)
    return (*names, message.step, is_for_customer, message.pictures)


def _within_limits(places: Sequence[int], messages: Sequence[Message]) -> Iterator[list[int]]:
    """`places` in few requests: an address stands once in each, so its second mail goes with other second ones."""
    mails_to: Counter[str] = Counter()
    rounds: defaultdict[int, list[int]] = defaultdict(list)
    for place in places:
        if sum(len(part.encode()) for part in _contents(messages[place])) > MOST_SUBSTITUTIONS:
            yield [place]
            continue
        address = messages[place].recipient.lower()
        rounds[mails_to[address]].append(place)
        mails_to[address] += 1
    for each_once in rounds.values():
        yield from _of_size(each_once, messages)


def _of_size(places: Sequence[int], messages: Sequence[Message]) -> Iterator[list[int]]:
    together: list[int] = []
    custom_arguments = 0
    for place in places:
        size = len(ACTION_KEY) + len(messages[place].action_key.encode()) + 10
        if together and (len(together) == MOST_PERSONS or custom_arguments + size > MOST_CUSTOM_ARGUMENTS):
            yield together
            together, custom_arguments = [], 0
        together.append(place)
        custom_arguments += size
    if together:
        yield together


def _mail(messages: Sequence[Message], pieces: Sequence[Pieces], sending: Sending) -> Mail:
    first, shared = messages[0], _shared(messages, pieces)
    mail = Mail()
    mail.from_email = From(sending.sender_email, _text(first, "sender_name"))
    for kind, content in zip(("text/plain", "text/html"), shared.content, strict=False):
        mail.add_content(Content(kind, content))
    for message, substitutions in zip(messages, shared.substitutions, strict=True):
        mail.add_personalization(_person(message, substitutions, sending))
    for picture in first.pictures:
        mail.add_attachment(_inline(picture))
    if reply_to := _text(first, "reply_to"):
        mail.reply_to = ReplyTo(reply_to)
    # A play may be called as its family is, and SendGrid refuses a mail that names a category twice.
    for category in dict.fromkeys(name[:LONGEST_CATEGORY] for name in (first.category, first.playbook)):
        mail.add_category(Category(category))
    if sending.unsubscribe_group is not None and _text(first, "unsubscribe_url"):
        mail.asm = Asm(GroupId(sending.unsubscribe_group))
    if sending.is_sandbox:
        mail.mail_settings = MailSettings(sandbox_mode=SandBoxMode(enable=True))
    return mail


def _inline(picture: Picture) -> Attachment:
    """The picture as the mail's HTML asks for it, by `cid:`; Gmail shows no picture that stands in the HTML itself."""
    return Attachment(
        FileContent(base64.b64encode(picture.png).decode()),
        FileName(f"{picture.name}.png"),
        FileType("image/png"),
        Disposition("inline"),
        ContentId(picture.name),
    )


def _person(message: Message, substitutions: Mapping[str, str], sending: Sending) -> Personalization:
    person = Personalization()
    person.add_to(To(message.recipient))
    person.subject = message.subject
    # Custom arguments sit with the person, not the mail: SendGrid's events then name the action of each recipient.
    person.add_custom_arg(CustomArg(ACTION_KEY, message.action_key))
    unsubscribe_url = _text(message, "unsubscribe_url")
    if (
        unsubscribe_url and sending.has_unsubscribe_page and sending.unsubscribe_group is None
    ):  # a group brings headers of its own
        person.add_header(Header("List-Unsubscribe", f"<{unsubscribe_url}>"))
        if sending.is_one_click and unsubscribe_url.lower().startswith("https://"):
            person.add_header(Header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    for tag, value in substitutions.items():
        person.add_substitution(Substitution(tag, value))
    return person


def _shared(messages: Sequence[Message], pieces: Sequence[Pieces]) -> _Shared:
    if len(messages) == 1:
        return _Shared(_contents(messages[0]), ({},))
    tag = _tag(messages)
    substitutions: list[dict[str, str]] = [{} for _ in messages]
    contents: list[str] = []
    for part, versions in enumerate(zip(*pieces, strict=True)):
        content: list[str] = []
        for number, written in enumerate(zip(*versions, strict=True)):
            if len(set(written)) == 1:
                content.append(written[0])
                continue
            name = f"-{tag}.{part}.{number}-"
            content.append(name)
            for own, piece in zip(substitutions, written, strict=True):
                own[name] = piece
        contents.append("".join(content))
    return _Shared(tuple(contents), tuple(substitutions))


def _tag(messages: Sequence[Message]) -> str:
    """A word that no mail of the request holds, so that nobody's text is taken for a tag."""
    digest = hashlib.sha256(messages[0].action_key.encode()).hexdigest()
    texts = "\n".join(part for message in messages for part in (message.subject, *_contents(message)))
    return next(word for start in range(0, 48, 8) if (word := f"cs{digest[start : start + 16]}") not in texts)


def _contents(message: Message) -> tuple[str, ...]:
    """What a person reads, in the order in which SendGrid wants it: plain text, then HTML where there is any."""
    return (message.body_text,) if message.body_html is None else (message.body_text, message.body_html)


def _pieces(message: Message) -> Pieces:
    """The contents cut where mails of one template differ: lines of text, tags of HTML."""
    splits = (_TEXT_PIECES, _HTML_PIECES)
    return tuple(split.split(content) for split, content in zip(splits, _contents(message), strict=False))


def _text(message: Message, key: str) -> str | None:
    value = message.payload.get(key)
    return value if isinstance(value, str) else None
