"""Show the pictures of a message in a page that stands by itself: as data in the place of their names."""

import base64
from collections.abc import Sequence

from cs_pipeline.channels.message import Picture


def data_url(pictures: Sequence[Picture], name: str) -> str:
    """The picture of that name as a `data:` URL; an empty text where there is none."""
    found = next((picture for picture in pictures if picture.name == name), None)
    return "" if found is None else f"data:image/png;base64,{base64.b64encode(found.png).decode()}"


def with_pictures(html: str, pictures: Sequence[Picture]) -> str:
    """The HTML of a mail, in which pictures need no mail around them."""
    for picture in pictures:
        html = html.replace(f"cid:{picture.name}", data_url(pictures, picture.name))
    return html
