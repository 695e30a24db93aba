"""Run Dagster's daemon, one for each database: `python -m cs_pipeline.cli.daemon -w workspace.yaml`.

Two daemons would launch every tick of every schedule twice. So this one says in cs.living_processes that it is there,
refuses to start where another lives, and ends when another has taken its place. Before it begins it fails the runs that
nobody executes any more, so that after a power cut nothing waits for them. What it does then is `dagster-daemon run`.
"""

import logging
import os
import signal
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points

from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings
from cs_pipeline.warehouse.living import doing
from cs_pipeline.warehouse.locate import locate

DAEMON = "daemon"
"""The task, in cs.living_processes, of launching what is due."""


def main(arguments: Sequence[str]) -> None:
    """Be the daemon until a signal ends it. `arguments` are those of `dagster-daemon run`."""
    settings = load_settings()
    try:
        with doing(locate(settings), DAEMON, settings.home, on_lost=_end):  # before the seconds that Dagster needs
            _run(arguments)
    except UserError as error:
        sys.exit(str(error))


def _run(arguments: Sequence[str]) -> None:
    import dagster as dg

    from cs_pipeline.orchestration.code_server_client import ask_less_often
    from cs_pipeline.orchestration.instance_storage import PipelineStorage
    from cs_pipeline.orchestration.json_logs import arguments_for_logs
    from cs_pipeline.orchestration.run_owner import PipelineRunLauncher, fail_abandoned_runs

    logging.getLogger("dagster").setLevel(logging.INFO)
    ask_less_often()
    PipelineStorage.keeps_connections = True  # an idle daemon would open two a second
    with dg.DagsterInstance.get() as instance:
        if isinstance(instance.run_launcher, PipelineRunLauncher):
            for run in fail_abandoned_runs(instance, locate(load_settings())):
                logging.getLogger("dagster").warning("run %s of %s had been abandoned", run.run_id, run.job_name)
    sys.argv = ["dagster-daemon", "run", *arguments, *arguments_for_logs(load_settings())]
    (command,) = entry_points(group="console_scripts", name="dagster-daemon")
    command.load()()


def _end() -> None:
    """As `down` would: another daemon is at work, and this one was taken for dead."""
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(sys.argv[1:])
