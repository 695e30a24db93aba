"""Templates of our own HTML pages: those in the folder `pages` of a package. What a page shows is its module's."""

from jinja2 import Environment, PackageLoader, StrictUndefined


def page_templates(package: str) -> Environment:
    """Everything that is shown is escaped, and a name that nobody gives is an error."""
    return Environment(
        loader=PackageLoader(package, "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
