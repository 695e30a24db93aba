"""Examine what is configured: clock, delivery, channels, playbooks, score models. Asks no database."""

from collections.abc import Iterator

from cs_pipeline.channels.registry import carrier_of, missing
from cs_pipeline.cli.doctor.finding import Finding, guarded
from cs_pipeline.plays.messages.unsubscribe_link import PATH as UNSUBSCRIBE
from cs_pipeline.settings import Settings


def examine_configuration(settings: Settings) -> Iterator[Finding]:
    """A finding for each subject, in the order in which a new user meets them."""
    yield _clock(settings)
    yield _delivery(settings)
    yield _unsubscribing(settings)
    yield _texts(settings)
    yield from guarded("chat", lambda: [_chat(settings)])
    if settings.slack_app_token is not None:
        yield _buttons(settings)
    yield from guarded("playbooks", lambda: [_playbooks(settings)])
    yield from guarded("score models", lambda: [_score_models(settings)])


def _clock(settings: Settings) -> Finding:
    if settings.now is None:
        return Finding("clock", "ok", "the present is the present")
    return Finding("clock", "note", f"set to {settings.now:%Y-%m-%d %H:%M} UTC, for demo and tests")


def _delivery(settings: Settings) -> Finding:
    if settings.delivery == "capture":
        return Finding("delivery", "ok", f"capture: nothing leaves this machine; messages in {settings.captures}")
    absent = missing(settings)
    if absent:
        return Finding("delivery", "wrong", f"{settings.delivery}, but {' and '.join(absent)} is not set")
    if settings.delivery == "allowlist":
        return Finding("delivery", "note", f"allowlist: only to {', '.join(settings.allowlist) or 'nobody'}")
    return Finding("delivery", "note", "live: messages reach customers")


def _unsubscribing(settings: Settings) -> Finding:
    if settings.sendgrid_unsubscribe_group is not None:
        return Finding("unsubscribing", "ok", f"by SendGrid's group {settings.sendgrid_unsubscribe_group}")
    if settings.unsubscribe_url:
        one_click = "" if settings.unsubscribe_one_click else ", without one click"
        return Finding("unsubscribing", "ok", f"on your own page{one_click}")
    if settings.public_url:
        return Finding("unsubscribing", "ok", f"with one click, at {settings.public_url.rstrip('/')}{UNSUBSCRIBE}")
    if settings.delivery == "capture":
        return Finding("unsubscribing", "ok", "captured mails link to this site; set CS_PIPELINE_PUBLIC_URL to go live")
    words = "readers cannot: CS_PIPELINE_PUBLIC_URL is not set, so links in mails lead to this machine"
    return Finding("unsubscribing", "wrong", f"{words}, and mails have no List-Unsubscribe header (docs/answers.md)")


def _texts(settings: Settings) -> Finding:
    if settings.webhook_url is None:
        return Finding("text messages", "ok", "by e-mail: CS_PIPELINE_WEBHOOK_URL is not set")
    return Finding("text messages", "ok", "over the webhook")


def _chat(settings: Settings) -> Finding:
    from cs_pipeline.plays.playbooks.reading import load_playbooks

    if carrier_of("slack", settings).name == "teams":
        return Finding("chat", "ok", "Microsoft Teams, for Slack's messages as well: no bot token of Slack is set")
    if settings.teams_webhook_url is not None:
        return Finding("chat", "ok", "Slack and Microsoft Teams")
    playbooks = load_playbooks(settings.config).values()
    waiting = sorted(each.playbook for each in playbooks if any(step.channel == "teams" for step in each.steps))
    if waiting and settings.delivery != "capture":
        words = f"CS_PIPELINE_TEAMS_WEBHOOK_URL is not set, so what these post in Teams waits: {', '.join(waiting)}"
        return Finding("chat", "wrong", words)
    return Finding("chat", "ok", "Slack; Microsoft Teams once CS_PIPELINE_TEAMS_WEBHOOK_URL is set")


def _buttons(settings: Settings) -> Finding:
    if settings.slack_bot_token is None:
        return Finding(
            "buttons in Slack", "wrong", "CS_PIPELINE_SLACK_BOT_TOKEN is not set, so nobody listens to clicks"
        )
    return Finding("buttons in Slack", "ok", "messages have them while `cs-pipeline up` listens (docs/answers.md)")


def _playbooks(settings: Settings) -> Finding:
    from cs_pipeline.plays.playbooks.reading import load_playbooks

    playbooks = load_playbooks(settings.config)
    return Finding("playbooks", "ok", f"{len(playbooks)} valid: {', '.join(sorted(playbooks))}")


def _score_models(settings: Settings) -> Finding:
    from cs_pipeline.health.library import score_models
    from cs_pipeline.health.selection import load_selection

    selection = load_selection(settings.config)
    others = set(score_models(settings.config)) - {model.model for model in selection.models}
    active = {model.model for model in selection.active_models}
    told = (
        f"{model.model}{'' if model.model in active else ' (beside)'} {model.version}" for model in selection.models
    )
    beyond = f"; valid and not computed: {', '.join(sorted(others))}" if others else ""
    return Finding("score models", "ok", f"{', '.join(told)}{beyond}")
