alter table raw.raw_rejects add column row_kept boolean not null default false;
comment on table raw.raw_rejects is
'Rows that broke the source contract, whole, with the reason; with row_kept only the value of column_name was put
    aside, and the row is loaded without it.';
