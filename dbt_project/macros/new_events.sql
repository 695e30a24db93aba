{# What an incremental roll-up by account and day reads: the events of accounts on days that were touched since it was
   built, and nothing else. An account is touched on a day where a newer row is; a day is touched for every account
   where a row was that has moved or is gone (cs.touched_days).

   What an account did on a touched day is summed up anew, so late rows, corrected rows and rows of a day that was half
   loaded all come out right. The days are asked for first and written as constants: only constants let PostgreSQL skip
   the rest of the table by the block-range index on occurred_at. Ask once in a model: loads go on meanwhile.

   Days of an archived month (cs.archived_months) stay as they were summed up: its events are not there to be read. #}
{% macro touched_days() -%}
    {%- if not execute -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set archived = archived_months() -%}
    {%- if not is_incremental() -%}
        {%- if archived -%}
            {{ exceptions.raise_compiler_error(
                'The events of ' ~ archived | map(attribute=0) | join(', ') ~ ' are archived, so they cannot be summed up'
                ~ ' from nothing, nor as they were known at another moment: what is scored on them would count nothing.'
                ~ ' `cs-pipeline data months` says in which files they are, `cs-pipeline data restore FILE` brings them'
                ~ ' back.'
            ) }}
        {%- endif -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set built_load_id = run_query('select coalesce(max(newest_load_id), 0) from ' ~ this)[0][0] -%}
    {%- set found = run_query(
        'with days as ('
        ~ 'select ' ~ utc_day('occurred_at') ~ ' as day, max(_load_id) as load_id, false as is_whole'
        ~ ' from ' ~ ref('stg_events') ~ ' where _load_id > ' ~ built_load_id ~ ' group by 1'
        ~ ' union all'
        ~ " select day, 0 as load_id, true as is_whole from cs.touched_days"
        ~ " where source_table = 'events' and load_id > " ~ built_load_id
        ~ '),'
        ~ ' distinct_days as (select day, bool_or(is_whole) as is_whole from days where day is not null'
        ~ " and cast(date_trunc('month', cast(day as timestamp)) as date) not in"
        ~ " (select month from cs.archived_months where source_table = 'events') group by day),"
        ~ ' runs as (select day, is_whole,'
        ~ ' day - cast(row_number() over (partition by is_whole order by day) as integer) as run from distinct_days),'
        ~ ' ranges as (select is_whole, cast(min(day) as text) as first_day, cast(max(day) + 1 as text) as end_day'
        ~ ' from runs group by is_whole, run),'
        ~ ' whole as (select coalesce(bool_or(day is null), false) as is_every_day,'
        ~ ' greatest(max(load_id), ' ~ built_load_id ~ ') as newest_load_id from days)'
        ~ ' select ranges.first_day, ranges.end_day, ranges.is_whole, whole.is_every_day, whole.newest_load_id'
        ~ ' from whole left join ranges on not whole.is_every_day order by ranges.first_day'
    ).rows -%}
    {%- if found[0]['is_every_day'] -%}
        {%- set ranges = [] -%}
        {%- for month in archived -%}
            {%- do ranges.append((loop.previtem[1] if not loop.first else '-infinity', month[0], true)) -%}
        {%- endfor -%}
        {%- do ranges.append((archived[-1][1] if archived else '-infinity', 'infinity', true)) -%}
    {%- else -%}
        {%- set ranges = found | rejectattr(0, 'none') | list -%}
    {%- endif -%}
    {{ return({
        'ranges': ranges,
        'whole_ranges': ranges | selectattr(2) | list,
        'built_load_id': built_load_id,
        'newest_load_id': found[0]['newest_load_id'],
    }) }}
{%- endmacro %}


{# The first day of each month whose events are in files and not in the database, and the first day after it. #}
{% macro archived_months() -%}
    {{ return(run_query(
        "select cast(month as text) as month, cast(cast(month + interval '1 month' as date) as text) as ends"
        ~ " from cs.archived_months where source_table = 'events' order by 1"
    ).rows | map('list') | list) }}
{%- endmacro %}


{# To put behind `with`: touched_accounts, a row for each account and `day` that is summed up anew. Nothing where all
   events are. It is a table, of which PostgreSQL knows how many rows it has: of a part of a statement it does not, and
   would hash the events of all days instead. #}
{% macro touched_accounts(touched, day) -%}
{%- if touched is none -%}
{%- elif is_spread() -%}
touched_accounts as materialized (

    {{ select_touched_accounts(touched, day) | trim | indent }}

),

{% else -%}
{%- set table = make_analyzed_table('touched_accounts', select_touched_accounts(touched, day)) -%}
touched_accounts as not materialized (

    select
        account_id,
        {{ day }}
    from {{ table }}

),

{% endif -%}
{%- endmacro %}


{% macro select_touched_accounts(touched, day) %}
    select distinct
        account_id,
        {{ utc_day('occurred_at') }} as {{ day }}
    from {{ ref('stg_events') }}
    where
        _load_id > {{ touched['built_load_id'] }}
        and _load_id <= {{ touched['newest_load_id'] }}
        {%- if touched['whole_ranges'] %}

    union

    select
        account_id,
        {{ utc_day('occurred_at') }} as {{ day }}
    from {{ ref('stg_events') }}
    where {{ _happened_in(touched['whole_ranges']) }}

    union

    select
        account_id,
        {{ day }}
    from {{ this }}
    where
        {%- for range in touched['whole_ranges'] %}
        {{ 'or ' if not loop.first }}({{ day }} >= '{{ range[0] }}' and {{ day }} < '{{ range[1] }}')
        {%- endfor %}
        {%- endif %}
{%- endmacro %}


{# To be used after `from`: the events of touched_accounts, or all, with the day in column `day`. Rows that were loaded
   since the days were asked for are left to the next build, which will look for all days of their load. #}
{% macro events_of(touched, day) -%}
    (
        select
            events.*,
            {{ utc_day('events.occurred_at') }} as {{ day }}
        from {{ ref('stg_events') }} as events
        {%- if touched is not none %}
        inner join touched_accounts
            on
                events.account_id = touched_accounts.account_id
                and {{ utc_day('events.occurred_at') }} = touched_accounts.{{ day }}
        where
            events._load_id <= {{ touched['newest_load_id'] }}
            and ({{ _happened_in(touched['ranges'], 'events.') }})
        {%- endif %}
    ) as touched_events
{%- endmacro %}


{% macro _happened_in(ranges, prefix='') -%}
    {%- for range in ranges %}
        {{ 'or ' if not loop.first }}(
            {{ prefix }}occurred_at >= cast('{{ range[0] }}' as timestamp) at time zone 'UTC'
            and {{ prefix }}occurred_at < cast('{{ range[1] }}' as timestamp) at time zone 'UTC'
        )
    {%- else %}
        false
    {%- endfor %}
{%- endmacro %}


{# To put behind a roll-up's select: each of touched_accounts as a row that names account and day and nothing else.
   `replace_account_days` deletes what is stored of it, and inserts nothing where no other row has it. #}
{% macro and_touched_accounts(touched, day) -%}
    {%- if touched is not none %}
union all
select
        {%- for column in adapter.get_columns_in_relation(this) %}
    {{ column.name if column.name in ('account_id', day) else 'cast(null as ' ~ column.data_type ~ ') as ' ~ column.name }}
    {{- ',' if not loop.last }}
        {%- endfor %}
from touched_accounts
    {%- endif -%}
{%- endmacro %}
