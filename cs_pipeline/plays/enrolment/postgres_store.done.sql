-- Those of the enrolments that are active and of which no action is left.
select enrolments.enrolment_id
from cs.enrolments
where
    enrolments.enrolment_id = any(%(enrolment_ids)s::bigint[])
    and enrolments.status = 'active'
    and not exists (
        select 1
        from cs.actions
        where
            actions.enrolment_id = enrolments.enrolment_id
            and (
                actions.status in ('planned', 'awaiting_approval', 'claimed')
                or (actions.status = 'uncertain' and actions.expires_at > %(now)s)
            )
    )
