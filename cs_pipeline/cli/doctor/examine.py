"""Examine settings, database, outbox, alerts and processes in turn, as far as they are there."""

from collections.abc import Iterator

from cs_pipeline.cli.doctor.alerts import examine_alerts
from cs_pipeline.cli.doctor.answers import examine_answers
from cs_pipeline.cli.doctor.configuration import examine_configuration
from cs_pipeline.cli.doctor.database import examine_crm, examine_data, examine_server, is_migrated
from cs_pipeline.cli.doctor.files import examine_files
from cs_pipeline.cli.doctor.finding import Finding, guarded
from cs_pipeline.cli.doctor.outbox import examine_outbox
from cs_pipeline.cli.doctor.processes import examine_due_actions, examine_processes
from cs_pipeline.clock import Clock
from cs_pipeline.errors import UserError
from cs_pipeline.settings import Settings
from cs_pipeline.warehouse.locate import embedded_server, locate


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, in the order in which a new user meets the parts."""
    yield from examine_configuration(settings)
    yield from examine_files(settings)
    if settings.database_url is None and not embedded_server(settings).is_there:
        brings = "`cs-pipeline load DIR`, `data land DIR`, `demo` or `up` creates and starts one"
        yield Finding("PostgreSQL", "note", f"none yet, as before the first command: {brings}")
        return
    try:
        warehouse = locate(settings)
        yield from examine_server(warehouse, settings)
    except UserError as error:
        yield Finding("PostgreSQL", "wrong", str(error))
        return
    if not is_migrated(warehouse):
        brings = "`cs-pipeline load DIR`, `data land DIR` or `up` brings it"
        yield Finding("schema", "note", f"the `cs` schema is not there yet, as before the first command: {brings}")
        return
    yield from examine_data(warehouse, settings)
    yield from guarded("outbox", lambda: examine_outbox(warehouse, Clock(settings.now).now()))
    yield from guarded("mail events", lambda: examine_answers(warehouse, settings, Clock(settings.now).now()))
    yield from guarded("alert rules", lambda: examine_alerts(warehouse, settings, Clock(settings.now).now()))
    yield from guarded("CRM", lambda: [examine_crm(warehouse, settings)])
    yield from examine_processes(settings)
    if settings.now is None:
        yield from guarded("due actions", lambda: [examine_due_actions(warehouse)])
