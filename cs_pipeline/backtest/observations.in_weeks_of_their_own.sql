-- Each account once in $4 weeks, in weeks of its own, and whether it departed within $3 days.
select
    account_weeks.account_id,
    account_weeks.week,
    coalesce(outcomes.departs_on < account_weeks.week + 7 + $3::integer, false) as departs,
    case
        when outcomes.departs_on < account_weeks.week + 7 + $3::integer
            then greatest(account_weeks.week + 7 + $3::integer, outcomes.known_on)
        else account_weeks.week + 7 + $3::integer
    end as known_on
from marts.fct_account_weeks as account_weeks
inner join outcomes on account_weeks.account_id = outcomes.account_id
where
    account_weeks.week between $1::date and $2::date
    and (account_weeks.week - date '1970-01-05') / 7 % $4::integer
    = ('x' || left(md5(account_weeks.account_id), 7))::bit(28)::integer % $4::integer
    and account_weeks.week + 7 + $3::integer <= outcomes.until_day
    and account_weeks.week + 7 + $3::integer <= outcomes.decided_until
    and (outcomes.departs_on is null or outcomes.departs_on >= account_weeks.week + 7)
