"""Find the PostgreSQL that the settings mean: the team's own, or the embedded server of the home folder."""

from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.embedded import EmbeddedServer


def embedded_server(settings: Settings) -> EmbeddedServer:
    """The embedded server of the home folder, running or not."""
    return EmbeddedServer(settings.home / "postgres")


def locate(settings: Settings) -> Warehouse:
    """The warehouse of `settings`; starts nothing. Raises UserError when there is none."""
    if settings.database_url is not None:
        return Warehouse(settings.database_url.get_secret_value())
    return Warehouse(embedded_server(settings).url)
