with

voices as (

    select
        moments.as_of,
        account_weeks.account_id,
        account_weeks.tier,
        {{ voices_of_account('account_weeks', 'scores') }}
    from {{ moments() }} as moments
    inner join {{ ref('fct_account_weeks') }} as account_weeks
        on account_weeks.week = {{ last_week_before('moments.as_of') }}
    left join {{ source('cs', 'health_scores') }} as scores
        on
            account_weeks.week = scores.week
            and account_weeks.account_id = scores.account_id
            and scores.is_active

),

-- greatest and least leave out voices that are silent.
distances as (

    select
        *,
        greatest(score_voice, csm_voice, billing_voice, forecast_voice) as best,
        least(score_voice, csm_voice, billing_voice, forecast_voice) as worst
    from voices

)

select
    distances.as_of,
    distances.account_id,
    distances.account_id as entity,
    distances.best - distances.worst as measured,
    parameters.apart as held_against,
    jsonb_build_object(
        'score', distances.score_voice,
        'csm', distances.csm_voice,
        'billing', distances.billing_voice,
        'forecast', distances.forecast_voice,
        'says_well', case distances.best
            when distances.score_voice then 'score'
            when distances.csm_voice then 'CSM'
            when distances.billing_voice then 'billing'
            else 'renewal forecast'
        end,
        'says_badly', case distances.worst
            when distances.forecast_voice then 'renewal forecast'
            when distances.billing_voice then 'billing'
            when distances.csm_voice then 'CSM'
            else 'score'
        end
    ) as facts
from distances
inner join {{ alert_parameters('disagreement', {'apart': 0.7}) }} as parameters
    on parameters.tier = coalesce(distances.tier, '')
where distances.best - distances.worst >= parameters.apart
