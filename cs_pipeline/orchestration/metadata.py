"""Write tables, charts and names of tables as Dagster metadata."""

import math
from collections.abc import Sequence

import dagster as dg
import pandas as pd

from cs_pipeline.reports.charts import as_markdown


def table(rows: pd.DataFrame) -> dg.TableMetadataValue | dg.MarkdownMetadataValue:
    """A table as the UI shows tables; a sentence when it is empty."""
    if rows.empty:
        return dg.MetadataValue.md("_Nothing to show._")
    columns = [dg.TableColumn(name, _type_of(rows[name])) for name in rows.columns]
    records = [
        dg.TableRecord({str(name): _plain(value) for name, value in row.items()}) for row in rows.to_dict("records")
    ]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))


def table_name(key: dg.AssetKey | Sequence[str]) -> dict[str, str]:
    """Metadata of an asset that is the table of its key: the UI shows its name, and data catalogues find it."""
    path = key.path if isinstance(key, dg.AssetKey) else key
    return {"dagster/table_name": ".".join(path)}


def picture(png: bytes, title: str) -> dg.MarkdownMetadataValue:
    """A chart that carries its own data."""
    return dg.MetadataValue.md(as_markdown(png, title))


def _type_of(column: pd.Series) -> str:
    if pd.api.types.is_integer_dtype(column):
        return "int"
    return "float" if pd.api.types.is_float_dtype(column) else "string"


def _plain(value: object) -> str | int | float | None:
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    return value if isinstance(value, str | int | float) else str(value)
