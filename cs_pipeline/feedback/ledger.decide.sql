-- What nobody has routed yet, with the rules that match and where the first of them sends it; a temporary table.
create temporary table routed_now on commit drop as
with

lists as (

    select
        list,
        found,
        negated
    from unnest(%(lists)s::text[], %(found)s::text[], %(negated)s::text[]) as lists (list, found, negated)

),

conditions as (

    select said.*
    from jsonb_to_recordset(%(conditions)s::jsonb) as said (
        rule text, nth integer, said_in text[], kind text[], question text[], words text[], tier text[],
        score_at_least double precision, score_at_most double precision, renewal_within_days integer
    )

),

rules as (

    select said.*
    from jsonb_to_recordset(%(rules)s::jsonb) as said (rule text, nth integer, sent_to text[], priority jsonb)

),

asked as materialized (

    select
        items.said_in,
        items.source_id,
        items.account_id,
        items.kind,
        items.question,
        items.feature,
        items.asked_by,
        items.score_share,
        items.said_at,
        items.words,
        {plain_words} as plain
    from {items} as items
    left join cs.routed_feedback as known
        on items.said_in = known.said_in and items.source_id = known.source_id
    where
        known.source_id is null
        and items.said_at > %(now)s - make_interval(days => %(looks_back_days)s)
        and items.said_at <= %(now)s
        and items.arrived_at <= %(now)s

),

placed as materialized (

    select
        asked.*,
        accounts.tier,
        weeks.renewal_date - cast(%(now)s as date) as days_to_renewal,
        array(
            select lists.list
            from lists
            where {mentioned}
        ) as spoken
    from asked
    left join marts.dim_accounts as accounts on asked.account_id = accounts.account_id
    left join marts.fct_account_weeks as weeks
        on
            asked.account_id = weeks.account_id
            and weeks.week = (select max(newest.week) from marts.fct_account_weeks as newest)

),

matches as (

    select
        placed.said_in,
        placed.source_id,
        conditions.rule,
        conditions.nth
    from placed
    inner join conditions
        on
            (cardinality(conditions.said_in) = 0 or placed.said_in = any(conditions.said_in))
            and (cardinality(conditions.kind) = 0 or placed.kind = any(conditions.kind))
            and (cardinality(conditions.question) = 0 or placed.question = any(conditions.question))
            and (cardinality(conditions.words) = 0 or placed.spoken && conditions.words)
            and (cardinality(conditions.tier) = 0 or placed.tier = any(conditions.tier))
            and (conditions.score_at_least is null or placed.score_share >= conditions.score_at_least)
            and (conditions.score_at_most is null or placed.score_share <= conditions.score_at_most)
            and (
                conditions.renewal_within_days is null
                or placed.days_to_renewal between 0 and conditions.renewal_within_days
            )
    group by placed.said_in, placed.source_id, conditions.rule, conditions.nth

),

matched as (

    select
        said_in,
        source_id,
        array_agg(rule order by nth) as rules
    from matches
    group by said_in, source_id

)

select
    placed.said_in,
    placed.source_id,
    placed.account_id,
    placed.kind,
    placed.question,
    coalesce(placed.feature, named.feature) as feature,
    placed.asked_by,
    placed.tier,
    placed.said_at,
    placed.words,
    placed.days_to_renewal,
    rules.rule,
    coalesce(matched.rules, array[]::text[]) as matched,
    coalesce(rules.sent_to, %(triage)s::text[]) as sent_to,
    coalesce(rules.priority ->> placed.tier, rules.priority ->> 'default', 'medium') as priority,
    placed.said_at > %(now)s - make_interval(days => %(told_within_days)s) as is_told
from placed
left join matched on placed.said_in = matched.said_in and placed.source_id = matched.source_id
left join rules on matched.rules[1] = rules.rule
-- A feature whose name stands in the words, the longest name first.
left join lateral (
    select features.feature
    from staging.stg_features as features
    where
        strpos(
            ' ' || regexp_replace(placed.plain, '[^[:alnum:]]+', ' ', 'g') || ' ',
            ' ' || regexp_replace(lower(features.feature_name), '[^[:alnum:]]+', ' ', 'g') || ' '
        ) > 0
    order by length(features.feature_name) desc, features.feature asc
    limit 1
) as named on placed.feature is null
where rules.rule is not null or placed.said_in = any(%(triage_said_in)s::text[])
