"""Facts of accounts: the catalogue, and reading them for many accounts at once, today or as of a past week."""
