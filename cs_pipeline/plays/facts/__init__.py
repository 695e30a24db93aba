"""Facts of accounts: which there are, and how they are asked for many accounts at once, today or as of a past week."""
