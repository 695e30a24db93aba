"""Serve the customer-success site: what customer success looks at, and decides on, in a browser.

The site shows and hands on; it decides nothing. A page reads through the functions of `reports`, a form acts through
the very functions that the command line calls. What belongs where:

- `pages/<name>.py`: one page, its `PAGE`, whose `show` reads the address, asks `reports` and gives values to
  `templates/<name>.html.j2`. `registry.PAGES` lists the pages, by which navigation, browser tests and
  benchmarks go.
- `forms/<subject>.py`: what people can do; a `Form` each, listed in `registry.FORMS`.
- `templates/_base.html.j2` (frame and navigation), `templates/_parts.html.j2` (macros that pages share),
  `static/site.css` (the whole look). No script stands in a page, and nothing is loaded from elsewhere.
- `page` and `form` say what a page and a form are; `application` puts it all together; `reader` says who asks and
  whether they may act; `database` keeps connections; `kept` what is costly to read; `server` starts it.

How to add a page is a recipe in docs/contributing.md. No module here imports Dagster.
"""
