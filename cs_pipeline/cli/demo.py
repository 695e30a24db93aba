"""`demo`: take a company, or an example data set, from raw rows to captured messages."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.status import Status
from rich.text import Text

from cs_pipeline.cli.console import say_done, status
from cs_pipeline.errors import UserError
from cs_pipeline.plain_files import make_private
from cs_pipeline.settings import HOME_SETTINGS_FILE, PREFIX, Settings, load_settings


def demo(
    accounts: Annotated[int, typer.Option(help="Accounts of the sample company.", min=1)] = 300,
    weeks: Annotated[int, typer.Option(help="Weeks of its history.", min=20)] = 80,
    seed: Annotated[int, typer.Option(help="Same seed, same company.", min=0)] = 7,
    example: Annotated[str, typer.Option(help="Instead, an example data set: oulad, churnsim or ravenstack.")] = "",
    data: Annotated[Path | None, typer.Option(help="Folder with the files of the example.", file_okay=False)] = None,
) -> None:
    """Load a sample company, score its history, run its plays and show the results.

    Contacts nobody: messages are captured as pages. Running it again contacts nobody twice.

    Example: cs-pipeline demo --accounts 1000
    """
    if example:
        _play_example(example, data)
    else:
        _play_sample(accounts, weeks, seed)


def _play_sample(accounts: int, weeks: int, seed: int) -> None:
    from cs_pipeline.demo.company import SampleCompany
    from cs_pipeline.demo.story import play_sample, present_of

    company = SampleCompany(accounts=accounts, weeks=weeks, seed=seed)
    settings = _settings_with(
        {"now": present_of(company.ends_on).isoformat(), "first_week": company.first_week.isoformat()}
    )
    with status("Starting PostgreSQL and Dagster") as shown:
        from cs_pipeline.cli.runtime import open_runtime

        with open_runtime(settings) as runtime:
            play_sample(runtime, company, settings.home / "sample", _teller(shown))
            shown.stop()
            _show(settings)


def _play_example(name: str, data: Path | None) -> None:
    from cs_pipeline.demo.examples import bring_in, example_settings, find_example
    from cs_pipeline.demo.story import claim, play_loaded

    example = find_example(name)
    if data is None:
        raise UserError(f"Say with --data where the files are that {example.source} offers")
    settings = _settings_with(example_settings(name))
    with status("Starting PostgreSQL and Dagster") as shown:
        from cs_pipeline.cli.runtime import open_runtime

        with open_runtime(settings) as runtime:
            claim(runtime.warehouse, name)
            tell = _teller(shown)
            bring_in(runtime.warehouse, name, data, tell)
            play_loaded(runtime, example.first_week, example.ends_on, tell)
            shown.stop()
            _show(settings)


def _settings_with(asked: Mapping[str, str]) -> Settings:
    """Settings with the fields of `asked`; kept in the home folder, so that `up` shows the same company."""
    home = load_settings().home
    if not home.exists():
        make_private(home, is_entered=True)
    (home / HOME_SETTINGS_FILE).write_text(
        "# Written by the demo. Remove this file to let the present be the present.\n"
        + "".join(f"{PREFIX}{field.upper()}={value}\n" for field, value in asked.items())
    )
    return load_settings()


def _teller(shown: Status) -> Callable[[str], None]:
    """Show what is being done; what was done before stays above, with its seconds."""
    began = time.monotonic()
    current: list[str] = []

    def tell(words: str) -> None:
        nonlocal began
        if current and not current[0].startswith("It is "):
            say_done(current[0], f" {time.monotonic() - began:.0f} s")
        if not current or not (current[0].startswith("It is ") and words.startswith("It is ")):
            began = time.monotonic()
        current[:] = [words]
        shown.update(Text(words))

    return tell


def _show(settings: Settings) -> None:
    from cs_pipeline.cli.demo_summary import show_summary
    from cs_pipeline.warehouse.locate import locate

    show_summary(settings, locate(settings))
