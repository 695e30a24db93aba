"""Write the message of a step for one recipient, from its template and the facts of its account.

What a message of each form (`ChannelKind.form`) is made of belongs here. How templates are written is in `environment`,
what they may show in `context`, how a message leaves in the `channels` package.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mjml import mjml2html

from cs_pipeline.channels.fallback import AS_EMAIL
from cs_pipeline.channels.message import Message
from cs_pipeline.channels.registry import KINDS, Form
from cs_pipeline.channels.slack_buttons import Verb
from cs_pipeline.errors import UserError
from cs_pipeline.plays.messages import loader, samples
from cs_pipeline.plays.messages.block_template import BlockTemplate
from cs_pipeline.plays.messages.brand import Brand
from cs_pipeline.plays.messages.context import About, Action, Values, known_names
from cs_pipeline.plays.messages.environment import (
    Template,
    TemplateError,
    html_environment,
    markup_environment,
    text_environment,
)
from cs_pipeline.plays.messages.plain_text import plain_text
from cs_pipeline.plays.playbooks.schema import Playbook, Step
from cs_pipeline.settings import Settings

LONGEST_SUBJECT = 200
LONGEST_TEXT_MESSAGE = 1_600  # as many characters as carriers put together into one
WHY = "_why"  # the template that ends every message to us
TEXT_MESSAGE = "_text_message"  # the e-mail that a text message becomes where nothing carries it
ANSWERS: tuple[Verb, ...] = ("done", "hold")
"""Buttons of every message of a play in Slack."""
FRONT: Mapping[Form, tuple[str, ...]] = {"mail": ("subject", "preview"), "record": ("title",), "text": ("subject",)}


@dataclass(frozen=True)
class _TextTemplate:
    """A mail (subject, preview, body), a text message (subject, body) or a CRM record (title, body)."""

    path: Path
    front: Mapping[str, Template]
    body: Template

    def check_names(self, known: list[str]) -> None:
        for template in (*self.front.values(), self.body):
            template.check_names(known)


@dataclass(frozen=True)
class _Written:
    subject: str
    text: str
    html: str | None
    payload: dict[str, object]


class Renderer:
    """Renders the steps of playbooks; a template is read when it is first asked for.

    `link_key` signs unsubscribe links; without it they do nothing, as suits a mail that is only shown.
    Raises UserError when the brand file, a playbook or a template that every message needs is wrong.
    """

    def __init__(self, settings: Settings, link_key: str = "") -> None:
        self._settings = settings
        self._link_key = link_key
        folders = loader.folders(settings.config)
        self._brand = Brand.read(next(path for folder in folders if (path := folder / "brand.yaml").is_file()))
        currency = self._brand.currency
        self._html = html_environment([folder / "email" for folder in folders], currency)
        self._plain = {name: text_environment([folder / name for folder in folders], currency) for name in KINDS}
        self._markup = {
            name: markup_environment([folder / name for folder in folders], currency, kind.layout)
            for name, kind in KINDS.items()
            if kind.layout is not None
        }
        self._text_templates: dict[tuple[str, str], _TextTemplate] = {}
        self._block_templates: dict[tuple[str, str], BlockTemplate] = {}

    def render(self, playbook: Playbook, step: Step, facts: Mapping[str, object], action: Action) -> Message:
        """One message of `playbook`, as it was when the account was enrolled.

        `facts` are those of the catalogue by name, those of the trigger as they were written, and `recipient_name`
        (a contact's full name); what is absent or None is missing. Raises UserError that names template, line and
        variable, and never prints a missing value.
        """
        step = step.as_sent(playbook.playbook, action.account_id)
        values = Values(About(self._settings, self._brand, playbook, step, facts, action, self._link_key))
        write = {
            "mail": self._email,
            "blocks": self._block_message,
            "record": self._record,
            "text": self._text_message,
        }[KINDS[step.channel].form]
        written = write(step, values)
        if step.channel == "slack":
            written.payload["answers"] = [*ANSWERS, *(["approve"] if _asks_for_approval(playbook) else [])]
        return Message(
            action_key=action.action_key,
            channel=step.channel,
            recipient=action.recipient or "",
            subject=written.subject,
            body_text=written.text,
            body_html=written.html,
            payload=written.payload,
            account_id=action.account_id,
            playbook=action.playbook,
            step=step.step,
            due_on=values["due_on"],  # pyright: ignore[reportArgumentType] - a date, see Values
            category=action.family,
        )

    def check(self, playbook: Playbook) -> None:
        """Render every step for made-up accounts, of which one is known in full and one not at all.

        Raises UserError with every problem: what is found here would else be found in the middle of a play.
        """
        problems: list[str] = []
        known = known_names(playbook.trigger.kind)
        for step in _each_with_one_template(playbook):
            try:
                self._template(step).check_names(known)
                for account, facts in samples.variants(playbook.trigger.kind):
                    self._try(playbook, step, account, facts)
            except UserError as error:
                problems.append(f"playbook {playbook.playbook}, step {step.step}: {error}")
        if problems:
            raise UserError("\n".join(problems))

    def _try(self, playbook: Playbook, step: Step, account: str, facts: Mapping[str, object]) -> None:
        try:
            self.render(playbook, step, facts, samples.SampleAction(playbook.playbook, playbook.family))
        except UserError as error:
            raise UserError(f"for an account {account}: {error}") from None

    def _email(self, step: Step, values: Values) -> _Written:
        return self._mail(step.template, values)

    def _mail(self, name: str, values: Values) -> _Written:
        template = self._text_template("email", name)
        subject, preview = (_one_line(template.front[name].render(values)) for name in ("subject", "preview"))
        mjml = template.body.render(values.give(subject=subject, preview=preview))
        try:
            html, text = mjml2html(mjml), plain_text(mjml)
        except ValueError as error:
            raise TemplateError(f"{template.path}: does not make a sound MJML document: {error}") from None
        payload: dict[str, object] = {
            "preview": preview,
            "sender_name": self._settings.sender_name,
            "reply_to": values["owner_email"],
        }
        if values["is_for_customer"]:
            payload["unsubscribe_url"] = values["unsubscribe_url"]
        return _Written(subject, text, html, payload)

    def _block_message(self, step: Step, values: Values) -> _Written:
        template, why = (self._block_template(step.channel, name) for name in (step.template, WHY))
        subject, layout = _one_line(template.text.render(values)), template.layout
        blocks = layout.fit([*template.render_blocks(values), *why.render_blocks(values)])
        return _Written(subject, f"{subject}\n\n{why.text.render(values)}\n", None, {layout.field: blocks})

    def _record(self, step: Step, values: Values) -> _Written:
        template, why = (self._text_template(step.channel, name) for name in (step.template, WHY))
        title = _one_line(template.front["title"].render(values))
        text = f"{_unwrapped(template.body.render(values))}\n\n{_unwrapped(why.body.render(values))}\n"
        return _Written(title, text, None, {"kind": step.kind, "priority": step.priority})

    def _text_message(self, step: Step, values: Values) -> _Written:
        """With the e-mail that it is where no webhook is set."""
        template = self._text_template(step.channel, step.template)
        subject = _one_line(template.front["subject"].render(values))
        text = _unwrapped(template.body.render(values))
        if len(text) > LONGEST_TEXT_MESSAGE:
            text = text[: LONGEST_TEXT_MESSAGE - 1].rstrip() + "…"
        preview, paragraphs = _one_line(text), text.split("\n\n")
        mail = self._mail(TEXT_MESSAGE, values.give(subject=subject, preview=preview, paragraphs=paragraphs))
        return _Written(subject, text, mail.html, {**mail.payload, AS_EMAIL: mail.text})

    def _template(self, step: Step) -> _TextTemplate | BlockTemplate:
        if KINDS[step.channel].layout is not None:
            return self._block_template(step.channel, step.template)
        return self._text_template(step.channel, step.template)

    def _block_template(self, channel: str, name: str) -> BlockTemplate:
        if (channel, name) not in self._block_templates:
            layout = KINDS[channel].layout
            if layout is None:
                raise ValueError(f"messages of {channel} are not made of blocks")
            path = loader.find(self._settings.config, channel, name)
            read = BlockTemplate.read(path, layout, self._markup[channel], self._plain[channel])
            self._block_templates[channel, name] = read
        return self._block_templates[channel, name]

    def _text_template(self, channel: str, name: str) -> _TextTemplate:
        if (channel, name) not in self._text_templates:
            path, form = loader.find(self._settings.config, channel, name), KINDS[channel].form
            front, body = loader.with_front_matter(path, FRONT[form])
            plain = self._plain[channel]
            self._text_templates[channel, name] = _TextTemplate(
                path,
                {name: Template(plain, piece.text, path, piece.line) for name, piece in front.items()},
                Template(self._html if form == "mail" else plain, body.text, path, body.line),
            )
        return self._text_templates[channel, name]


def _each_with_one_template(playbook: Playbook) -> list[Step]:
    """The steps, and each of their variants as a step of its own."""
    return [
        step.model_copy(update={"template": template, "variants": ()})
        for step in playbook.steps
        for template in step.templates
    ]


def _asks_for_approval(playbook: Playbook) -> bool:
    return any(step.waits_for_approval for step in playbook.steps)


def _one_line(text: str) -> str:
    """A header's text: no line end, no longer than anybody reads."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_SUBJECT else line[: LONGEST_SUBJECT - 1].rstrip() + "…"


def _unwrapped(text: str) -> str:
    """Paragraphs on one line each, however their template is wrapped; items of a list stay on theirs."""
    return re.sub(r"(?<=\S)[ \t]*\n(?![ \t]*\n|- |\d+\. )", " ", re.sub(r"\n\s*\n", "\n\n", text.strip()))
