-- Rows of the moment for which no open alert stands, and which are not over and done with: what was told is told again
-- after `again_after` at the earliest, an event never, and what expired or was dismissed not while it still holds.
insert into alert_news (account_id, entity, measured, held_against, facts, reopens)
with news as (
    select found.*
    from alert_rows as found
    where
        found.as_of = %(as_of)s
        and not exists (
            select 1
            from alerts
            where
                alerts.rule = %(rule)s
                and alerts.account_id = found.account_id
                and alerts.entity = found.entity
                and alerts.state in ('pending', 'firing', 'recovering')
        )
),

beside_the_last as (
    select
        news.*,
        past.alert_id,
        past.state,
        past.cause in ('expired', 'dismissed') as is_put_away,
        past.missing_since,
        past.fired_at,
        coalesce(past.told_at + %(again_after)s::interval > %(now)s, false) as is_told_lately
    from news
    left join lateral (
        select alerts.*
        from alerts
        where
            alerts.rule = %(rule)s
            and alerts.account_id = news.account_id
            and alerts.entity = news.entity
        order by alerts.alert_id desc
        limit 1
    ) as past on true
)

select
    account_id,
    entity,
    measured,
    held_against,
    facts,
    case when is_told_lately then alert_id end as reopens
from beside_the_last
where
    alert_id is null
    or case
        when %(nature)s = 'event' then coalesce(fired_at + %(again_after)s::interval <= %(as_of)s, false)
        when is_put_away then missing_since is not null and not is_told_lately
        else true
    end
