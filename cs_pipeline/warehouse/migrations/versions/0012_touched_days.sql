create table cs.touched_days (
    source_table text not null,
    -- of the load that moved them, or an id of its own: later than every load before
    load_id bigint not null,
    day date,                             -- UTC; null: every day, the table was emptied or made anew
    rows bigint not null
);
create index touched_days_by_load on cs.touched_days (source_table, load_id);
comment on table cs.touched_days is
'Days from which rows of a rolled-up source table moved away or were deleted: where they were, which the rows '
'themselves no longer say. Roll-ups by day build these days again.';

-- Arguments of the trigger: the column with the moment, the key. Whoever changes rows other than through a load waits
-- for a load to end, so that ids become visible in ascending order here too.
create function cs.record_touched_days() returns trigger language plpgsql as $$
declare
    id bigint;
begin
    if tg_op = 'UPDATE' then
        perform 1 from was_rows limit 1;
        if not found then
            return null;
        end if;
        -- A load leaves its id on the rows, by which they are found where they are now.
        execute format(
            'insert into cs.touched_days (source_table, load_id, day, rows)
            select %1$L, now_rows._load_id, (was_rows.%2$I at time zone ''UTC'')::date, count(*)
            from was_rows
            inner join now_rows using (%3$s)
            where
                was_rows._load_id <> now_rows._load_id
                and (was_rows.%2$I at time zone ''UTC'')::date <> (now_rows.%2$I at time zone ''UTC'')::date
            group by 2, 3',
            tg_table_name, tg_argv[0], tg_argv[1]
        );
        perform 1 from now_rows where not exists (
            select 1 from was_rows where was_rows._load_id = now_rows._load_id
        ) limit 1;
        if found then
            return null;
        end if;
    end if;
    perform pg_advisory_xact_lock(7420002);
    id := nextval(pg_get_serial_sequence('cs.loads', 'load_id'));
    if tg_op = 'TRUNCATE' then
        insert into cs.touched_days (source_table, load_id, day, rows) values (tg_table_name, id, null, 0);
        return null;
    end if;
    execute format(
        'insert into cs.touched_days (source_table, load_id, day, rows)
        select %1$L, $1, (was_rows.%2$I at time zone ''UTC'')::date, count(*) from was_rows group by 3',
        tg_table_name, tg_argv[0]
    ) using id;
    if tg_op = 'UPDATE' then
        execute format(
            'insert into cs.touched_days (source_table, load_id, day, rows)
            select %1$L, $1, (now_rows.%2$I at time zone ''UTC'')::date, 0 from now_rows group by 3',
            tg_table_name, tg_argv[0]
        ) using id;
    end if;
    return null;
end
$$;

create function cs.watch_touched_days(watched regclass, moment_column text, key_columns text) returns void
language plpgsql as $$
declare
    calls text := format('for each statement execute function cs.record_touched_days(%L, %L)', moment_column, key_columns);
begin
    execute format(
        'create trigger days_touched_by_update after update on %s
        referencing old table as was_rows new table as now_rows ', watched
    ) || calls;
    execute format('create trigger days_touched_by_delete after delete on %s referencing old table as was_rows ', watched)
    || calls;
    execute format('create trigger days_touched_by_truncate after truncate on %s ', watched) || calls;
end
$$;

select cs.watch_touched_days(oid, 'occurred_at', 'event_id')
from pg_class
where oid = to_regclass('raw.events') and relkind in ('r', 'p');
