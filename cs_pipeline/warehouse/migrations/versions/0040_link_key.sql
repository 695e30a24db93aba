-- With what links in mails to customers are signed. Made here, so that nobody has to; it goes with a backup, because
-- links in mails that are out must work for as long as somebody reads them.
create table cs.link_keys (
    link_key text not null,
    made_at timestamptz not null default now()
);
comment on table cs.link_keys is 'One row: with what unsubscribe links are signed. Whoever reads it can forge them.';
revoke all on cs.link_keys from public;
insert into cs.link_keys (link_key)
select encode(sha256(convert_to(string_agg(gen_random_uuid()::text, ''), 'UTF8')), 'hex') from generate_series(1, 4);
