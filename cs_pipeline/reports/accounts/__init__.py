"""Reports about accounts: the book of all of them, the page and the card of one."""
