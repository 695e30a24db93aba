"""Scores of parent accounts: the roll-up of their children's scores that count, by ARR or as their mean.

What the model of the children says (`roll_up`) decides; children under different models are rolled up apart.
"""

from datetime import date

from adbc_driver_manager.dbapi import Connection

from cs_pipeline.history.weeks import execute


def roll_up_parents(connection: Connection, week: date) -> int:
    """Replace the week's rows of cs.parent_scores by those of the scores that count now; returns how many."""
    execute(connection, f"delete from cs.parent_scores where week = date '{week}'")
    # The week's scores were written in this transaction: the planner expects none of them, and would loop over all.
    execute(connection, "set local enable_nestloop = off")
    rolled_up = execute(
        connection,
        f"""
        with

        children as (

            select
                account_weeks.parent_account_id as account_id,
                health_scores.model,
                health_scores.model_version,
                -- Decimal, so that a parent's score does not depend on the order of its children.
                health_scores.score::numeric as score,
                coalesce(score_models.definition ->> 'roll_up', 'arr') as roll_up,
                score_models.definition -> 'bands' as bands,
                coalesce(account_weeks.arr, 0)::numeric as arr
            from marts.fct_account_weeks as account_weeks
            inner join cs.health_scores using (week, account_id)
            inner join cs.score_models using (model, model_version)
            where
                account_weeks.week = date '{week}'
                and account_weeks.parent_account_id is not null
                and health_scores.is_active

        ),

        parents as (

            select
                account_id,
                model,
                model_version,
                roll_up,
                bands,
                count(*) as children,
                count(score) as scored_children,
                sum(arr) as arr,
                case
                    -- Children that pay nothing weigh alike.
                    when roll_up = 'arr' and sum(arr) filter (where score is not null) > 0
                        then sum(score * arr) / sum(arr) filter (where score is not null)
                    else avg(score)
                end as score
            from children
            group by account_id, model, model_version, roll_up, bands

        )

        insert into cs.parent_scores (
            week, account_id, model, model_version, roll_up, children, scored_children, arr, score, band, severity
        )
        select
            date '{week}', account_id, model, model_version, roll_up, children, scored_children, arr, score,
            named.band, named.severity
        from parents
        left join lateral (
            select band ->> 'band' as band, (band ->> 'severity')::smallint as severity
            from jsonb_array_elements(bands) as band
            where parents.score >= (band ->> 'from')::double precision
            order by (band ->> 'from')::double precision desc
            limit 1
        ) as named on true
        """,
    )
    execute(connection, "set local enable_nestloop = on")
    return rolled_up
