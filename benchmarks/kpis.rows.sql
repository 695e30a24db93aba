-- A company made of numbers (see kpis.py). Half of the accounts are there from the first month, the others come later.
create temporary table made as
select
    nth,
    'account-' || nth as account_id,
    date '{first}' + case when nth % 2 = 0 then 0 else nth % (30 * {months} - 31) end as signed_up,
    (array['starter', 'pro', 'enterprise'])[1 + nth % 3] as tier,
    20 + (hashtext(nth::text) & 1023) as mrr
from generate_series(1, {accounts}) as numbers (nth);

insert into raw.accounts (account_id, account_name, created_at, tier, plan, industry, owner_email, _loaded_at, _load_id)
select
    account_id, account_id, signed_up, tier, tier, 'industry ' || nth % 12, 'owner' || nth % {owners} || '@ours.example',
    signed_up, 1
from made;

-- A first year; nine in ten renew it, at more or less; one in five has a second product.
insert into raw.subscriptions (
    subscription_id, account_id, product, plan, tier, seats, mrr, started_on, ended_on, renews_on, auto_renew, _loaded_at,
    _load_id
)
select
    account_id || '/1', account_id, 'core', tier, tier, 10, mrr, signed_up, signed_up + 365, signed_up + 365, false,
    signed_up, 1
from made
union all
select
    account_id || '/2', account_id, 'core', tier, tier, 10 + nth % 3, mrr * (0.9 + (nth % 7) / 20.0), signed_up + 365, null,
    signed_up + 730, false, signed_up + 365, 1
from made
where nth % 10 > 0 and signed_up + 365 <= date '{last}'
union all
select account_id || '/3', account_id, 'mail', tier, tier, 5, 30, signed_up + 100, null, null, true, signed_up + 100, 1
from made
where nth % 5 = 0 and signed_up + 100 <= date '{last}';

insert into raw.tickets (ticket_id, account_id, created_at, priority, csat, csat_scale, _loaded_at, _load_id)
select
    account_id || '/' || ticket, account_id, signed_up + ticket * 60, 'normal', 1 + (nth + ticket) % 5, 5,
    signed_up + ticket * 60, 1
from made
cross join generate_series(1, 8) as tickets (ticket)
where signed_up + ticket * 60 <= date '{last}';

insert into raw.touchpoints (touchpoint_id, account_id, kind, scheduled_at, held_at, _loaded_at, _load_id)
select
    account_id || '/' || touchpoint, account_id, (array['check_in', 'qbr', 'call'])[1 + touchpoint % 3],
    signed_up + touchpoint * 90, signed_up + touchpoint * 90, signed_up + touchpoint * 90, 1
from made
cross join generate_series(1, 6) as touchpoints (touchpoint)
where signed_up + touchpoint * 90 <= date '{last}';

insert into raw.survey_responses (
    response_id, account_id, user_id, survey, score, scale_max, responded_at, _loaded_at, _load_id
)
select
    account_id || '/' || answer, account_id, account_id || '/' || answer % 2, 'nps', (nth + answer) % 11, 10,
    signed_up + answer * 120, signed_up + answer * 120, 1
from made
cross join generate_series(1, 4) as answers (answer)
where signed_up + answer * 120 <= date '{last}';

insert into raw.onboarding_progress (
    account_id, step, position, started_at, completed_at, is_aha, _loaded_at, _load_id
)
select
    account_id, 'step ' || step, step, signed_up, signed_up + make_interval(hours => step * (nth % 100)), step = 1,
    signed_up, 1
from made
cross join generate_series(1, 3) as steps (step);
