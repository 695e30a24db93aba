{# What is said of an account by four voices that seldom sit at one table, each from 0 (it will leave) to 1 (all is well),
   or null where the voice is silent. `account_weeks` is a row of fct_account_weeks, `scores` the active health score of
   that week.

   score     the score model: by severity; its own score where a person set another.
   csm       the owner: the score he set by hand; else open complaints or missed meetings (0), the mean NPS answer, or
             a touchpoint within 30 days about which nothing bad was said (0.75).
   billing   0 with a tenth of revenue lost in 90 days; 0.3 with an overdue invoice; 1 with a tenth won; else 0.75.
   forecast  the renewal: 0 once cancellation is requested, 0.2 when it is overdue, 0.4 when somebody must sign within
             90 days and nobody met for 60, else 0.75. #}
{% macro voices_of_account(account_weeks, scores) -%}
    case
        when {{ scores }}.override_id is null then 1 - {{ scores }}.severity / cast(3 as double precision)
        else {{ scores }}.model_score / 100
    end as score_voice,
    case
        when {{ scores }}.override_id is not null then {{ scores }}.score / 100
        when {{ account_weeks }}.open_complaints > 0 or {{ account_weeks }}.missed_meetings_90d >= 2 then 0
        when {{ account_weeks }}.nps_response is not null then {{ account_weeks }}.nps_response / 10
        when {{ account_weeks }}.days_since_last_touchpoint <= 30 then 0.75
    end as csm_voice,
    case
        when {{ account_weeks }}.mrr_change_90d <= -0.1 then 0
        when {{ account_weeks }}.overdue_invoices > 0 then 0.3
        when {{ account_weeks }}.mrr_change_90d >= 0.1 then 1
        when {{ account_weeks }}.overdue_invoices is not null or {{ account_weeks }}.mrr_change_90d is not null then 0.75
    end as billing_voice,
    case
        when {{ account_weeks }}.has_cancellation_request then 0
        when {{ account_weeks }}.renewal_date is null then null
        when {{ account_weeks }}.is_renewal_overdue then 0.2
        when
            {{ account_weeks }}.renewal_type = 'manual'
            and {{ account_weeks }}.days_to_renewal <= 90
            and {{ account_weeks }}.days_since_last_touchpoint > 60
            then 0.4
        else 0.75
    end as forecast_voice
{%- endmacro %}


{# A rule of models/alerts/disagreement: accounts whose voices lie so far apart as its parameter `apart` asks. #}
{% macro disagreements(moments, parameters) -%}
with

voices as (

    select
        moments.as_of,
        account_weeks.account_id,
        account_weeks.tier,
        {{ voices_of_account('account_weeks', 'scores') }}
    from {{ moments }} as moments
    inner join {{ ref('fct_account_weeks') }} as account_weeks
        on {{ is_last_week('account_weeks.week', 'moments.as_of') }}
    left join {{ source('cs', 'health_scores') }} as scores
        on
            account_weeks.week = scores.week
            and {{ in_weeks_asked('scores.week') }}
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
inner join {{ parameters }} as parameters
    on parameters.tier = coalesce(distances.tier, '')
where distances.best - distances.worst >= parameters.apart
{%- endmacro %}
