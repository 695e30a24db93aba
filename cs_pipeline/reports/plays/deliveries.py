"""What the plays have sent lately, as Markdown for the Dagster UI."""

import pandas as pd


def messages_as_markdown(messages: pd.DataFrame, messages_url: str) -> str:
    """Captured messages (columns channel, playbook, step, account_id, path) as a list with links to how each looks.

    Neither addresses nor subjects, which may hold names: events of Dagster outlive an erasure.
    """
    lines = [
        f"- [{_plain(row['playbook'])}, {_plain(row['step'])}]({messages_url}/{row['path']}) "
        f"({_plain(row['channel'])}) about {_plain(row['account_id'])}"
        for row in messages.to_dict("records")
    ]
    return "\n".join(lines) or "_No message yet._"


def _plain(text: str) -> str:
    """Text of a message without what Markdown would read as its own."""
    return "".join(f"\\{letter}" if letter in "\\[]()<>*_`#|" else letter for letter in text.replace("\n", " "))
