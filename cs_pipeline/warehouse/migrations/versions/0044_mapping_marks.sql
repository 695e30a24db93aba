-- How far each mapping has been read ---------------------------------------------------------------------------------

create table cs.mapping_marks (
    origin text primary key,
    mark timestamptz not null,
    definition text not null,
    read_whole_at timestamptz not null,
    read_at timestamptz not null
);
comment on table cs.mapping_marks is
'Up to which of its own moments each mapping has been read, so that only what is newer is read again.';
comment on column cs.mapping_marks.origin is 'As in cs.loads: mapping <table>, or mapping <table>/<source>.';
comment on column cs.mapping_marks.mark is 'The newest _changed_at, or _loaded_at, among its rows.';
comment on column cs.mapping_marks.definition is 'Hash of the select; another one is read whole.';
comment on column cs.mapping_marks.read_whole_at is 'When all its rows were last read.';
comment on column cs.mapping_marks.read_at is 'When it was last read.';
