"""Measure what the tables of a database take on disk, with their indexes."""

import pandas as pd

from cs_pipeline.warehouse.bulk import query
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.warehouse.schemas import SCHEMAS


def table_sizes(warehouse: Warehouse, *schemas: str) -> pd.DataFrame:
    """The tables of our schemas and of `schemas`, largest first; a partitioned table is all of its parts."""
    return query(
        warehouse,
        """
        select
            whole.relnamespace::regnamespace::text as schema,
            whole.relname::text as "table",
            sum(greatest(part.reltuples, 0))::bigint as rows_estimated,
            round(sum(pg_total_relation_size(part.oid)) / 1000000.0, 1)::float as megabytes
        from pg_class as part
        inner join pg_class as whole on whole.oid = coalesce(pg_partition_root(part.oid), part.oid)
        where part.relkind in ('r', 'm') and whole.relnamespace::regnamespace::text = any($1)
        group by whole.oid, whole.relnamespace, whole.relname
        order by sum(pg_total_relation_size(part.oid)) desc, 1, 2
        """,
        [[*SCHEMAS, *schemas]],
    )
