alter table raw.raw_rejects add column rows bigint not null default 1;
comment on column raw.raw_rejects.rows is
'How many rows this one stands for: 1, or of a load with very many the number of those that were not kept; row_data is
    empty then.';
