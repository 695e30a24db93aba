"""Let people act on the site, a module a subject; each form calls the function that the command line calls."""
