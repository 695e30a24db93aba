"""One module a page. A page reads the address, asks `reports`, and gives values to its template."""
