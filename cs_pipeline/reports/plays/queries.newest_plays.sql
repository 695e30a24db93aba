with started as (
    select
        *,
        row_number() over (partition by playbook order by enrolled_at desc, enrolment_id desc) as place
    from cs.enrolments
    where status <> 'refused'
)

select
    started.playbook,
    dim_accounts.account_name as account,
    case triggers.kind
        when 'score_change'
            then
                concat(
                    round((triggers.facts ->> 'from_score')::numeric), ' → ',
                    round((triggers.facts ->> 'to_score')::numeric), ' (', triggers.facts ->> 'to_band', '), ',
                    replace(triggers.facts -> 'drivers' -> 0 ->> 'metric', '_', ' ')
                )
        when 'renewal_window'
            then
                concat(
                    triggers.facts ->> 'renewal_type', ' renewal on ', triggers.facts ->> 'renewal_date'
                )
        when 'segment_entry' then concat('entered ', replace(triggers.facts ->> 'segment', '_', ' '))
        when 'cadence'
            then
                concat(
                    replace(triggers.facts ->> 'cadence', '_', ' '), ' due on ', triggers.facts ->> 'due_on'
                )
        when 'lifecycle' then concat(replace(triggers.facts ->> 'anchor', '_', ' '), ' on ', triggers.anchor_on)
        else triggers.kind
    end as why,
    started.status,
    started.reason
from started
inner join cs.triggers using (trigger_id)
left join marts.dim_accounts on started.account_id = dim_accounts.account_id
order by started.place asc, started.enrolled_at desc, started.enrolment_id desc
limit %(limit)s
