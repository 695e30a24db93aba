"""`python -m cs_pipeline.cli` does what `cs-pipeline` does."""

from cs_pipeline.cli import main

if __name__ == "__main__":
    main()
