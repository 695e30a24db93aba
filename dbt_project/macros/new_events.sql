{# The condition on stg_events that an incremental roll-up by day reads: every event of the days that rows newer than
   the roll-up touched, and nothing on a first build.

   Whole days are read again, so late rows, corrected rows and rows of a day that was half loaded all come out right.
   The days are asked for first and written as constants: only constants let PostgreSQL skip the rest of the table by
   the block-range index on occurred_at. #}
{% macro events_of_touched_days() -%}
    {%- if not is_incremental() -%}
        true
    {%- else -%}
        {%- set ranges = touched_day_ranges() if execute else [] -%}
        {%- for range in ranges -%}
            {{ 'or ' if not loop.first }}(
                occurred_at >= cast('{{ range[0] }}' as timestamp) at time zone 'UTC'
                and occurred_at < cast('{{ range[1] }}' as timestamp) at time zone 'UTC'
            )
        {%- else -%}
            false
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{# Runs of consecutive UTC days, as [first day, day after the last], with events loaded since the roll-up was built. #}
{% macro touched_day_ranges() -%}
    {%- set newest_load_id = run_query('select coalesce(max(newest_load_id), 0) from ' ~ this)[0][0] -%}
    {%- set ranges = run_query(
        'with days as (select distinct ' ~ utc_day('occurred_at') ~ ' as day from ' ~ ref('stg_events')
        ~ ' where _load_id > ' ~ newest_load_id ~ '),'
        ~ ' runs as (select day, day - cast(row_number() over (order by day) as integer) as run from days)'
        ~ ' select min(day) as first_day, max(day) + 1 as end_day from runs group by run order by first_day'
    ) -%}
    {{ return(ranges.rows) }}
{%- endmacro %}
