"""Reports about accounts: the book of all of them, and the page of one."""
