-- Changes of severity, each with its largest drivers. score_changes.py says which: of a week, or of an account.
select
    concat_ws(':', 'score_change', changes.account_id, changes.week, changes.model, changes.to_severity)
        as trigger_key,
    'score_change' as kind,
    changes.account_id,
    changes.account_id as subject_id,
    changes.week,
    (changes.week + 7)::timestamp at time zone 'UTC' as occurred_at,
    changes.week + 7 as anchor_on,
    jsonb_build_object(
        'model', changes.model,
        'model_version', changes.model_version,
        'previous_week', changes.previous_week,
        'from_score', changes.from_score,
        'to_score', changes.to_score,
        'delta', changes.delta,
        'from_band', changes.from_band,
        'to_band', changes.to_band,
        'from_severity', changes.from_severity,
        'to_severity', changes.to_severity,
        'cause', changes.cause,
        'drivers', (
            select
                coalesce(
                    jsonb_agg(
                        jsonb_build_object(
                            'metric', driver.metric,
                            'delta', driver.part,
                            'cause', driver.reason,
                            'before', score_before.metric_value,
                            'after', score_after.metric_value
                        )
                        order by driver.position
                    ),
                    '[]'
                )
            from
                unnest(changes.driver_metrics, changes.driver_deltas, changes.driver_causes)
                with ordinality as driver (metric, part, reason, position)
            left join cs.score_points as score_after
                on
                    changes.week = score_after.week
                    and changes.account_id = score_after.account_id
                    and driver.metric = score_after.metric
                    and score_after.is_active
            left join cs.score_points as score_before
                on
                    changes.previous_week = score_before.week
                    and changes.account_id = score_before.account_id
                    and driver.metric = score_before.metric
                    and score_before.is_active
            where driver.position <= %(drivers_told)s
        )
    ) as facts
from cs.score_changes as changes
where
    {chosen}
    and (changes.origin = 'live' or not %(is_live)s)
    and changes.to_severity <> coalesce(changes.from_severity, 0)
    and not exists (
        select 1
        from cs.health_scores as scores
        where
            scores.account_id = changes.account_id
            and scores.week = changes.week
            and scores.is_active
            and scores.status = 'held'
    )
order by changes.week, changes.account_id
