"""Serve the customer-success site until stopped: `python -m cs_pipeline.site.server`.

Where nobody can be known, neither by a proxy's header nor by a password, it listens on this machine only.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.logs import set_up_logs
from cs_pipeline.settings import Settings, load_settings
from cs_pipeline.site.application import site_app
from cs_pipeline.site.database import PooledWarehouse
from cs_pipeline.site.sign_in import anybody_can_be_known
from cs_pipeline.warehouse.locate import locate


def place_to_listen(settings: Settings) -> tuple[str, int]:
    """Host and port: those of `site_listen`, else those of `site_url`."""
    where = urlsplit(f"//{settings.site_listen}" if settings.site_listen else settings.site_url)
    return where.hostname or "127.0.0.1", where.port or 3001


def is_of_this_machine(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def require_a_way_to_know(warehouse: PooledWarehouse, settings: Settings) -> None:
    """Raise UserError where others could reach a site that cannot know who they are."""
    host, port = place_to_listen(settings)
    if is_of_this_machine(host):
        return
    with warehouse.session() as session:
        if anybody_can_be_known(session, settings):
            return
    raise UserError(
        f"The site would listen on {host}:{port}, where others can reach it, and could not know who they are. "
        "Add people with `cs-pipeline user add NAME`, or name your proxy's header in CS_PIPELINE_SITE_USER_HEADER; "
        "or let it listen on this machine only: CS_PIPELINE_SITE_LISTEN=127.0.0.1:3001."
    )


def main() -> None:
    """Serve at `site_listen`, or at the host and port of `site_url`."""
    import uvicorn

    settings = load_settings()
    set_up_logs(settings.log_format)
    warehouse = PooledWarehouse(locate(settings).url)
    try:
        require_a_way_to_know(warehouse, settings)
    except UserError as error:
        raise SystemExit(f"Error: {error}") from None
    host, port = place_to_listen(settings)
    app = site_app(settings, warehouse, Clock(settings.now), is_open=not is_of_this_machine(host))
    # Without proxy_headers the client's address is the peer's, on which it depends whose header is believed.
    # Without log_config what uvicorn logs goes the way of our own.
    uvicorn.run(
        app, host=host, port=port, log_level="warning", log_config=None, proxy_headers=False, server_header=False
    )


if __name__ == "__main__":
    main()
