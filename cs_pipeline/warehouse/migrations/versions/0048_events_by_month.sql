-- A load that moves rows, to another account or to another time and so to another month, says itself which days they
-- left: it knows where they came from and where they go, and so whether they left a day at all. Everything else is as
-- before.
create or replace function cs.record_touched_days() returns trigger language plpgsql as $$
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
                and was_rows._load_id <> 0
                and (
                    (was_rows.%2$I at time zone ''UTC'')::date <> (now_rows.%2$I at time zone ''UTC'')::date
                    or was_rows.account_id <> now_rows.account_id
                )
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
    if nullif(current_setting('cs_pipeline.load_id', true), '') is not null then
        return null;
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
