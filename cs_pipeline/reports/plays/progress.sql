-- How far plays are: one row for each enrolment that is asked for, with what is done, what comes next, what is wrong.
-- Words of the columns are in progress.py. A step is
--   done: sent; a task also completed in the CRM, as far as one is known of (an opportunity is done once it is there),
--   not_needed: its own condition did not hold on the day,
--   open: a task that nobody has completed yet; planned, waiting: still to come; unknown: nobody knows if it arrived,
--   dropped: it will not be taken any more.
with chosen as (
    select
        enrolments.*,
        playbooks.definition,
        playbooks.definition ->> 'title' as title
    from cs.enrolments
    inner join cs.playbooks using (playbook, playbook_version)
    where
        enrolments.status <> 'refused'
        and (%(account_id)s::text is not null or enrolments.status = 'active')
        and (%(account_id)s::text is null or enrolments.account_id = %(account_id)s)
        and (%(playbook)s::text is null or enrolments.playbook = %(playbook)s)
),

defined as (
    select
        versions.playbook,
        versions.playbook_version,
        step.definition ->> 'step' as step,
        (step.definition ->> 'day')::integer as day,
        coalesce(
            step.definition ->> 'title',
            upper(left(step.definition ->> 'step', 1)) || replace(substr(step.definition ->> 'step', 2), '_', ' ')
        ) as step_title
    from (
        select distinct
            playbook,
            playbook_version,
            definition
        from chosen
    ) as versions
    cross join lateral jsonb_array_elements(versions.definition -> 'steps') as step (definition)
),

steps as (
    select
        chosen.enrolment_id,
        actions.action_id,
        defined.day,
        defined.step_title,
        actions.channel,
        actions.role,
        actions.due_at,
        actions.reason,
        coalesce(tasks.due_on, (actions.due_at at time zone 'UTC')::date) as due_on,
        case
            when actions.status = 'sent' and tasks.status = 'open' and tasks.kind = 'task' then 'open'
            when actions.status = 'sent' and tasks.status = 'removed' then 'dropped'
            when actions.status = 'sent' then 'done'
            when actions.status = 'suppressed' and actions.reason = 'condition' then 'not_needed'
            when actions.status = 'awaiting_approval' then 'waiting'
            when actions.status in ('planned', 'claimed') then 'planned'
            when actions.status = 'uncertain' then 'unknown'
            else 'dropped'
        end as state,
        actions.status = 'failed' as has_failed,
        -- What ended with its play was not missed.
        actions.status = 'cancelled' and chosen.status <> 'active' as went_with_play,
        coalesce(tasks.status = 'removed', false) as is_removed
    from chosen
    inner join cs.actions using (enrolment_id)
    inner join defined
        on
            chosen.playbook = defined.playbook
            and chosen.playbook_version = defined.playbook_version
            and actions.step = defined.step
    left join cs.task_status as tasks on actions.action_key = tasks.action_key
),

of_steps as (
    select
        enrolment_id,
        count(*) filter (where state <> 'not_needed') as steps,
        count(*) filter (where state = 'done') as done,
        min(day) filter (where state not in ('done', 'not_needed')) as first_undone,
        coalesce(bool_or(has_failed or state = 'unknown'), false) as has_trouble,
        array_agg(
            concat(
                step_title,
                case
                    when state = 'open' then ': the task was due on ' || due_on
                    when state = 'waiting' then ': waits for approval since ' || due_on
                    when state = 'unknown' then ': nobody knows whether it arrived'
                    when is_removed then ': somebody removed the task'
                    when has_failed then ': failed (' || coalesce(reason, 'no reason given') || ')'
                    else ': not taken (' || coalesce(reason, 'no reason given') || ')'
                end
            )
            order by due_at, action_id
        ) filter (
            where
            (state = 'open' and due_on < %(today)s)
            or (state = 'waiting' and due_at <= %(now)s)
            or state = 'unknown'
            or (state = 'dropped' and not went_with_play)
        ) as risks,
        array_agg(
            concat(
                due_on,
                ' ',
                step_title,
                ' (',
                case state when 'open' then 'to be completed' when 'waiting' then 'to be approved' else channel end,
                ', ',
                replace(role, '_', ' '),
                ')'
            )
            order by due_at, action_id
        ) filter (where state in ('open', 'waiting', 'planned')) as next_actions
    from steps
    group by enrolment_id
),

-- Milestones of the play's own; of an onboarding that has none, the steps in the product.
milestones as (
    select
        chosen.enrolment_id,
        milestone.position,
        milestone.definition ->> 'milestone' as milestone,
        chosen.anchor_on + (milestone.definition ->> 'day')::integer as due_on,
        coalesce(of_steps.first_undone > (milestone.definition ->> 'day')::integer, true) as is_reached
    from chosen
    inner join of_steps using (enrolment_id)
    cross join
        lateral
        jsonb_array_elements(chosen.definition -> 'milestones') with ordinality as milestone (definition, position)
    union all
    select
        chosen.enrolment_id,
        progress.position,
        upper(left(progress.step, 1)) || replace(substr(progress.step, 2), '_', ' '),
        null,
        coalesce(progress.completed_at <= %(now)s, false)
    from chosen
    inner join staging.stg_onboarding_progress as progress using (account_id)
    where
        chosen.family = 'onboarding'
        and coalesce(jsonb_array_length(chosen.definition -> 'milestones'), 0) = 0
),

of_milestones as (
    select
        enrolment_id,
        array_agg(milestone order by position) filter (where is_reached) as completed_milestones,
        (array_agg(milestone order by position) filter (where not is_reached))[1] as current_milestone,
        (array_agg(milestone order by position) filter (where not is_reached))[2:] as upcoming_milestones,
        array_agg(milestone || ': the milestone was due on ' || due_on order by position) filter (
            where not is_reached and due_on < %(today)s
        ) as risks
    from milestones
    group by enrolment_id
),

scores as (
    select distinct on (account_id)
        account_id,
        score,
        band,
        is_at_risk
    from cs.active_scores
    where
        account_id in (select chosen.account_id from chosen)
        and week <= %(today)s::date - 7
        and week > %(today)s::date - 42
    order by account_id asc, week desc
),

gathered as (
    select
        chosen.enrolment_id,
        chosen.playbook,
        chosen.title,
        chosen.account_id,
        accounts.account_name,
        chosen.status,
        chosen.reason,
        chosen.anchor_on,
        %(today)s::date - chosen.anchor_on as day,
        of_steps.done,
        of_steps.steps,
        of_steps.done::double precision / nullif(of_steps.steps, 0) as completion,
        coalesce(of_milestones.completed_milestones, '{}') as completed_milestones,
        of_milestones.current_milestone,
        coalesce(of_milestones.upcoming_milestones, '{}') as upcoming_milestones,
        scores.score,
        scores.band,
        coalesce(scores.is_at_risk, false) as is_at_risk,
        of_steps.has_trouble,
        case when chosen.status = 'active' then coalesce(of_milestones.risks, '{}') else '{}' end
        || coalesce(of_steps.risks, '{}') as risks,
        coalesce(of_steps.next_actions, '{}') as next_actions
    from chosen
    inner join of_steps using (enrolment_id)
    left join of_milestones using (enrolment_id)
    left join marts.dim_accounts as accounts using (account_id)
    left join scores using (account_id)
)

select
    enrolment_id,
    playbook,
    title,
    account_id,
    account_name,
    status,
    reason,
    anchor_on,
    day,
    done,
    steps,
    completion,
    completed_milestones,
    current_milestone,
    upcoming_milestones,
    case
        when status <> 'active' then 'ended'
        when is_at_risk or has_trouble then 'at risk'
        when risks <> '{}' then 'behind'
        else 'on track'
    end as health,
    case
        when status = 'active' and is_at_risk
            then array['The account is ' || band || ', score ' || round(score::numeric)] || risks
        else risks
    end as risks,
    next_actions
from gathered
order by
    status <> 'active',
    case when is_at_risk or has_trouble then 0 when risks <> '{}' then 1 else 2 end,
    anchor_on desc,
    enrolment_id asc
