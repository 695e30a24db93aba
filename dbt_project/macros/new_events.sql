{# What an incremental roll-up by day reads: every event of the days that were touched since it was built, and nothing
   else. A day is touched where a newer row is, and where a row was that has moved or is gone (cs.touched_days).

   Whole days are read again, so late rows, corrected rows and rows of a day that was half loaded all come out right.
   The days are asked for first and written as constants: only constants let PostgreSQL skip the rest of the table by
   the block-range index on occurred_at. Ask once in a model: loads go on meanwhile. #}
{% macro touched_days() -%}
    {%- if not is_incremental() or not execute -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set newest_load_id = run_query('select coalesce(max(newest_load_id), 0) from ' ~ this)[0][0] -%}
    {%- set found = run_query(
        'with days as ('
        ~ 'select ' ~ utc_day('occurred_at') ~ ' as day, max(_load_id) as load_id from ' ~ ref('stg_events')
        ~ ' where _load_id > ' ~ newest_load_id ~ ' group by 1'
        ~ ' union all'
        ~ " select day, 0 as load_id from cs.touched_days where source_table = 'events' and load_id > " ~ newest_load_id
        ~ '),'
        ~ ' runs as (select day, day - cast(dense_rank() over (order by day) as integer) as run from days'
        ~ ' where day is not null),'
        ~ ' ranges as (select cast(min(day) as text) as first_day, cast(max(day) + 1 as text) as end_day'
        ~ ' from runs group by run),'
        ~ ' whole as (select coalesce(bool_or(day is null), false) as is_every_day,'
        ~ ' greatest(max(load_id), ' ~ newest_load_id ~ ') as newest_load_id from days)'
        ~ ' select ranges.first_day, ranges.end_day, whole.is_every_day, whole.newest_load_id'
        ~ ' from whole left join ranges on not whole.is_every_day order by ranges.first_day'
    ).rows -%}
    {%- if found[0]['is_every_day'] -%}
        {%- set ranges = [('-infinity', 'infinity')] -%}
    {%- else -%}
        {%- set ranges = found | rejectattr(0, 'none') | list -%}
    {%- endif -%}
    {{ return({'ranges': ranges, 'newest_load_id': found[0]['newest_load_id']}) }}
{%- endmacro %}


{# The condition on stg_events for `touched` days; rows that were loaded since the days were asked for are left to the
   next build, which will look for all days of their load. #}
{% macro events_of(touched) -%}
    {%- if touched is none -%}
        true
    {%- else -%}
        _load_id <= {{ touched['newest_load_id'] }}
        and (
            {%- for range in touched['ranges'] %}
            {{ 'or ' if not loop.first }}(
                occurred_at >= cast('{{ range[0] }}' as timestamp) at time zone 'UTC'
                and occurred_at < cast('{{ range[1] }}' as timestamp) at time zone 'UTC'
            )
            {%- else %}
            false
            {%- endfor %}
        )
    {%- endif -%}
{%- endmacro %}


{# To put behind a roll-up's select: the `touched` days that it holds, each as a row that names the day in column `day`
   and nothing else. `replace_days` deletes such a day, and inserts nothing where no other row has it. #}
{% macro and_emptied_days(touched, day) -%}
    {%- if touched is not none and touched['ranges'] %}
union all
select
        {%- for column in adapter.get_columns_in_relation(this) %}
    {{ column.name if column.name == day else 'cast(null as ' ~ column.data_type ~ ') as ' ~ column.name }}
    {{- ',' if not loop.last }}
        {%- endfor %}
from (
    select distinct {{ day }}
    from {{ this }}
    where
        {%- for range in touched['ranges'] %}
        {{ 'or ' if not loop.first }}({{ day }} >= '{{ range[0] }}' and {{ day }} < '{{ range[1] }}')
        {%- endfor %}
) as stored_days
    {%- endif -%}
{%- endmacro %}
