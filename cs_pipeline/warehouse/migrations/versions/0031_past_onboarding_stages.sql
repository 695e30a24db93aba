create table cs.past_onboarding_stages (
    user_id text not null,
    onboarding_stage text,                -- null: the user had none yet
    held_until timestamptz not null       -- when the load, or whoever wrote it, put another in its place
);
create index past_onboarding_stages_by_end on cs.past_onboarding_stages (held_until);
comment on table cs.past_onboarding_stages is
'Onboarding stages in which users were before the one that raw.users has: sources say the last one only. Alert rules '
'that are asked about a past moment read them.';

create function cs.keep_onboarding_stages() returns trigger language plpgsql as $$
begin
    insert into cs.past_onboarding_stages (user_id, onboarding_stage, held_until)
    select was_rows.user_id, was_rows.onboarding_stage, clock_timestamp()
    from was_rows
    inner join now_rows using (user_id)
    where was_rows.onboarding_stage is distinct from now_rows.onboarding_stage;
    return null;
end
$$;

create function cs.watch_onboarding_stages(watched regclass) returns void language plpgsql as $$
begin
    execute format(
        'create trigger onboarding_stages_kept after update on %s
        referencing old table as was_rows new table as now_rows
        for each statement execute function cs.keep_onboarding_stages()', watched
    );
end
$$;

do $$
begin
    if exists (select from pg_class where oid = to_regclass('raw.users') and relkind in ('r', 'p')) then
        alter table raw.users add column if not exists onboarding_stage text;
        perform cs.watch_onboarding_stages('raw.users');
    end if;
end
$$;
