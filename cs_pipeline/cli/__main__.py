"""Run `cs-pipeline` as `python -m cs_pipeline.cli`."""

from cs_pipeline.cli import main

if __name__ == "__main__":
    main()
