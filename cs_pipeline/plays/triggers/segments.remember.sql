-- Who is in which segment now takes the place of who was when they were last looked at.
with found as (
    select
        found.segment,
        found.account_id
    from unnest(%(members_of)s::text[], %(account_ids)s::text[]) as found (segment, account_id)
),

left_behind as (
    delete from cs.segment_members
    where
        segment_members.segment = any(%(segments)s::text[])
        and not exists (
            select 1
            from found
            where found.segment = segment_members.segment and found.account_id = segment_members.account_id
        )
)

insert into cs.segment_members (segment, account_id, entered_on)
select
    segment,
    account_id,
    %(on)s::date
from found
on conflict do nothing
