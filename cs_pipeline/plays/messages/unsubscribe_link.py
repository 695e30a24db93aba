"""Make the link by which the reader of a mail unsubscribes, and know it again.

It names the mail by a digest, and nobody: `cs.customer_mails` leads back to the address. It is signed, so that nobody
can unsubscribe others by guessing which mails there are. Who honours it is `answers.unsubscribe`.
"""

import hashlib
import hmac
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from psycopg2.extensions import connection as Session

from cs_pipeline.settings import Settings

PATH = "/unsubscribe"
MESSAGE, SIGNATURE = "message", "signature"  # parameters of the link


def read_link_key(session: Session) -> str:
    """With what links are signed."""
    with session.cursor() as cursor:
        cursor.execute("select link_key from cs.link_keys")
        ((key,),) = cursor.fetchall()
    return key


def unsubscribe_link(settings: Settings, action_key: str, link_key: str) -> str:
    """The link of one mail: to the team's own page where there is one, else to the site's.

    `link_key` is empty where a mail is only shown, and goes to nobody: its link then does nothing.
    """
    message = (MESSAGE, digest_of(action_key))
    if settings.unsubscribe_url:
        parts = urlsplit(settings.unsubscribe_url)
        return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), message])))
    # Without a public address, captured mails lead to the site of this machine, where the link can be tried.
    site = (settings.public_url or settings.site_url).rstrip("/")
    return f"{site}{PATH}?{urlencode([message, (SIGNATURE, signature_of(message[1], link_key))])}"


def digest_of(action_key: str) -> str:
    """What a link says of its mail; `cs.message_digest` is the same in SQL."""
    return hashlib.sha256(action_key.encode()).hexdigest()[:20]


def signature_of(digest: str, link_key: str) -> str:
    """What proves that a link with that digest is ours; empty without a key."""
    return hmac.digest(link_key.encode(), digest.encode(), "sha256").hex()[:32] if link_key else ""
