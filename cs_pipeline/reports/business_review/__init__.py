"""The pack of a business review with a customer: an editable PowerPoint of what was achieved, and what comes next."""
