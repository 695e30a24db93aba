-- Complete active enrolments of which no action is left.
update cs.enrolments
set status = 'completed', ended_at = %(now)s
where
    enrolments.status = 'active'
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
