-- The week that was the last to end when a month was over, of every account: its mart as far as KPIs read it, its score.
drop table marts.fct_account_weeks cascade;

create table marts.fct_account_weeks as
select
    accounts.account_id,
    months.week,
    (hashtext(accounts.account_id || months.week) & 127) / 127.0::double precision as feature_adoption_ratio,
    (hashtext(months.week || accounts.account_id) & 127) / 127.0::double precision as login_frequency,
    hashtext(accounts.account_id) & 63 as days_since_last_touchpoint,
    hashtext(accounts.account_id) & 255 as days_to_renewal
from raw.accounts
cross join (
    select date_trunc('week', month + interval '1 month')::date - 7 as week
    from generate_series(date '{first}', date '{last}', interval '1 month') as months (month)
) as months
where accounts.created_at < months.week + 7;

alter table marts.fct_account_weeks add primary key (account_id, week);

insert into cs.score_models (model, model_version, metrics, max_points, definition)
values ('made', 'up', '{}', '{}', '{"at_risk_from": 2}');

insert into cs.health_scores (
    week, account_id, model, model_version, is_active, status, score, band, severity, coverage, metric_values, points,
    contributions, points_lost_to_cap
)
select
    week, account_id, 'made', 'up', true, 'scored', 100 * login_frequency, 'band', least(floor(4 * (1 - login_frequency)), 3),
    1, '{}', '{}', '{}', 0
from marts.fct_account_weeks;
