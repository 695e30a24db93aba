create table cs.living_processes (
    task text primary key,                -- 'daemon', or 'run <id>': one process each
    place text not null,                  -- host, boot and process namespace, within which a pid means something
    host text not null,
    pid bigint not null,
    process_started bigint not null,      -- in clock ticks after boot: pids are used again
    home text not null,                   -- its CS_PIPELINE_HOME
    since timestamptz not null,
    seen_at timestamptz not null          -- renewed by the process itself, by the clock of the database
);
comment on table cs.living_processes is
'Processes that work on this database. One that is not seen for a while, or is gone from its host, is dead.';
