"""The canonical tables that mappings over landed tables fill, so that lineage reaches from a source to every score.

The team's folder `mapping` is mapped as `cs-pipeline map --stamp-arrivals` maps one.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import dagster as dg

from cs_pipeline.clock import Clock
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.contract import SCHEMA, read_contract
from cs_pipeline.warehouse.mapping import install_mappings
from cs_pipeline.warehouse.mapping_files import mapping_files
from cs_pipeline.warehouse.mapping_sync import sync_mappings


def build_mapped_tables(
    folder: Path, sources: Sequence[dg.AssetSpec], landed: Sequence[dg.AssetKey]
) -> dg.AssetsDefinition:
    """One step for all: accounts lead the rest. `sources`: the canonical tables; those without a file stay out."""
    texts: dict[str, str] = {}
    for file in mapping_files(folder, read_contract()):
        texts[file.table] = texts.get(file.table, "") + file.path.read_text(encoding="utf-8")
    specs = [
        spec.replace_attributes(deps=[key for key in landed if _reads(texts[spec.key.path[-1]], key)])
        for spec in sources
        if spec.key.path[0] == SCHEMA and spec.key.path[-1] in texts
    ]

    @dg.multi_asset(
        name="map_landed_tables",
        specs=specs,
        description=f"Installs the mappings of {folder.name}/ and loads what is new by them, through the contract.",
    )
    def map_landed_tables(
        warehouse: dg.ResourceParam[Warehouse], clock: dg.ResourceParam[Clock]
    ) -> Iterator[dg.MaterializeResult]:
        install_mappings(warehouse, folder)
        report = sync_mappings(warehouse, stamp=clock.now())
        for table in report.tables:
            counts = {
                "rows read": table.rows_read,
                "rows loaded": table.rows_loaded,
                "rows put aside": table.rows_rejected,
            }
            yield dg.MaterializeResult(asset_key=[SCHEMA, table.table], metadata=counts)

    return map_landed_tables


def _reads(sql: str, key: dg.AssetKey) -> bool:
    """Whether a mapping names the landed table, or one of the lists within it, which dlt makes tables of."""
    schema, table = map(re.escape, key.path)
    return bool(re.search(rf'\b"?{schema}"?\s*\.\s*"?{table}(__\w+)?"?(?!\w)', sql))
