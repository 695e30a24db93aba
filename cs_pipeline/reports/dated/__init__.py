"""Reports about a week, a month or a quarter: one form, three faces (page, mail, Slack), and who receives them."""
