"""Execute runs that Celery hands out: `python -m cs_pipeline.cli.worker`, on any machine that has the same settings.

Arguments are those of `celery worker`. It takes runs, one at a time, unless they say otherwise:
`--queues steps` takes steps of runs with slices, `--concurrency 4` four at a time.
"""

import os
import sys
from collections.abc import Sequence

from cs_pipeline.errors import UserError
from cs_pipeline.settings import load_settings


def main(arguments: Sequence[str]) -> None:
    """Be a worker until a signal ends it; the first ends it when its runs have ended."""
    try:
        settings = load_settings()
        # What runs need is loaded before processes are forked for them, which begin at once then.
        import cs_pipeline.orchestration.build  # noqa: F401
        from cs_pipeline.cli.services import prepare_dagster_home
        from cs_pipeline.orchestration.celery_launcher import worker_app
        from cs_pipeline.orchestration.celery_settings import RUNS_QUEUE

        app = worker_app(settings)
    except UserError as error:
        sys.exit(str(error))
    except ImportError:
        sys.exit("Celery is not installed: pip install 'cs-pipeline[celery]'")
    prepare_dagster_home(settings)
    os.environ.setdefault("DAGSTER_HOME", str(settings.dagster_home.resolve()))
    app.worker_main(["worker", "--queues", RUNS_QUEUE, "--concurrency", "1", "--loglevel", "INFO", *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
