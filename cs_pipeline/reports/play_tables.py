"""What the plays have sent lately, as Markdown for the Dagster UI."""

import pandas as pd


def messages_as_markdown(messages: pd.DataFrame, messages_url: str) -> str:
    """Captured messages (columns channel, recipient, subject, path) as a list with links to how each looks."""
    lines = [
        f"- {_plain(row['channel'])} to {_plain(row['recipient'])}: "
        f"[{_plain(row['subject'])}]({messages_url}/{row['path']})"
        for row in messages.to_dict("records")
    ]
    return "\n".join(lines) or "_No message yet._"


def _plain(text: str) -> str:
    """Text of a message without what Markdown would read as its own."""
    return "".join(f"\\{letter}" if letter in "\\[]()<>*_`#|" else letter for letter in text.replace("\n", " "))
