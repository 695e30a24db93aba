"""`message`: list captured messages."""

from cs_pipeline.cli.arguments import Limit
from cs_pipeline.cli.command_group import new_group
from cs_pipeline.cli.console import console, print_frame
from cs_pipeline.cli.listing import AsJson, print_json
from cs_pipeline.settings import load_settings

commands = new_group("List captured messages.")


@commands.command("list")
def list_messages(limit: Limit = 20, as_json: AsJson = False) -> None:
    """List the newest captured messages, and say where to look at them."""
    from cs_pipeline.reports.plays.queries import recent_messages
    from cs_pipeline.warehouse.locate import locate

    settings = load_settings()
    with locate(settings).session() as session:
        rows = recent_messages(session, limit)
    if as_json:
        print_json(rows)
        return
    if rows.empty:
        console.print("No message was captured yet.")
        return
    print_frame(rows[["captured_at", "channel", "recipient", "subject", "playbook", "step"]])
    console.print(f"All of them, as their readers would see them: {settings.captures}/index.html")
