-- The contracts, invoices and cancellations of schema `original`, as Fivetran lands them of Stripe: a subscription with
-- one item a period, a line a month or a term. Tier and add-on stand in the product's metadata.
create schema stripe;

create table stripe.customer as
select account_id as id, account_name as name, null::text as email, created_at as created, country as address_country,
    jsonb_build_object('account_id', account_id) as metadata, true as livemode, false as is_deleted
from original.accounts;

create temporary table contracts as
select *,
    case when renews_on is null then 1
        else greatest(round((renews_on - started_on) / 30.4375), 1) end::integer as months,
    coalesce(product, 'none') || '/' || coalesce(plan, '') || '/' || coalesce(tier, '') || '/' || coalesce(is_addon::text, '')
        as product_id
from original.subscriptions;

create table stripe.product as
select distinct product_id as id, product as name,
    jsonb_strip_nulls(jsonb_build_object('tier', tier, 'is_addon', is_addon)) as metadata
from contracts;

create table stripe.price as
select 'price-' || subscription_id as id, round(mrr::numeric * months * 100 / coalesce(seats, 1), 12) as unit_amount,
    'usd' as currency, product_id, plan as nickname, 'month' as recurring_interval,
    months as recurring_interval_count, case when seats is null then 'metered' else 'licensed' end as recurring_usage_type
from contracts;

-- A month after another until the contract ends; at least one, and one that reaches beyond the present where it runs.
create table stripe.invoice_line_item as
select subscription_id || '-' || n as id, 'in-lines' as invoice_id, subscription_id, 'si-' || subscription_id as subscription_item_id,
    'price-' || subscription_id as price_id, coalesce(seats, 1) as quantity,
    round(mrr::numeric * months * 100, 6) as amount, null::numeric as unit_amount_excluding_tax, 'usd' as currency,
    (started_on + make_interval(months => n * months)) at time zone 'UTC' as period_start,
    case when months > 1 and n = 0 then renews_on::timestamp
        when is_trial and ended_on is not null then ended_on::timestamp
        else started_on + make_interval(months => (n + 1) * months) end at time zone 'UTC' as period_end,
    false as proration, 'subscription' as type, true as livemode
from contracts
cross join lateral generate_series(
    0, case when months > 1 or is_trial then 0
        else greatest(ceil((coalesce(ended_on, {present}) - started_on) / 30.4)::integer, 0) end
) as n;

create table stripe.invoice as
select invoice_id as id, account_id as customer_id, 'usd' as currency, 'open' as status,
    issued_on::timestamp at time zone 'UTC' as created, due_on::timestamp at time zone 'UTC' as due_date,
    round(amount::numeric * 100, 6) as amount_due, paid_at as status_transitions_paid_at, paid_at is not null as paid,
    true as livemode
from original.invoices where amount >= 0
union all
select 'in-lines', null, 'usd', 'draft', null, null, 0, null, false, false;
update stripe.invoice set status = 'paid' where id = 'in-lines';

create table stripe.credit_note as
select invoice_id as id, null::text as invoice_id, 'usd' as currency, issued_on::timestamp at time zone 'UTC' as created,
    'issued' as status, case when paid_at is null then 'pre_payment' else 'post_payment' end as type,
    round(-amount::numeric * 100, 6) as total, true as livemode, account_id as customer_id
from original.invoices where amount < 0;
-- a credit note is on an invoice of its customer
update stripe.credit_note set invoice_id = (
    select min(id) from stripe.invoice where invoice.customer_id = credit_note.customer_id
);

create table stripe.subscription_item as
select 'si-' || subscription_id as id, subscription_id, 'price-' || subscription_id as price_id,
    coalesce(seats, 1) as quantity,
    (select max(period_start) from stripe.invoice_line_item as line where line.subscription_id = contracts.subscription_id)
        as current_period_start,
    (select max(period_end) from stripe.invoice_line_item as line where line.subscription_id = contracts.subscription_id)
        as current_period_end
from contracts;

-- Requests stand on the account's first contract; what they say of it stands in its versions.
create temporary table requests as
select *, (select min(subscription_id) from contracts where contracts.account_id = request.account_id) as subscription_id
from original.cancellation_requests as request;

create table stripe.subscription_history as
with versions as (
    select subscription_id, '-infinity'::timestamptz as since, null::timestamptz as canceled_at, null::text as reason
    from contracts
    union all
    select subscription_id, requested_at, requested_at, reason from requests where subscription_id is not null
    union all
    select subscription_id, withdrawn_at, null, null from requests where withdrawn_at is not null and subscription_id is not null
)

select contracts.subscription_id as id, contracts.account_id as customer_id,
    case when contracts.ended_on <= {present} then 'canceled' when contracts.is_trial then 'trialing' else 'active' end
        as status,
    case when contracts.is_trial then contracts.started_on::timestamp at time zone 'UTC' end as trial_start,
    case when contracts.is_trial
        then coalesce(contracts.ended_on::timestamp, contracts.started_on + interval '1 month') at time zone 'UTC' end
        as trial_end,
    items.current_period_start, items.current_period_end,
    case when contracts.ended_on > {present} then contracts.ended_on::timestamp at time zone 'UTC' end as cancel_at,
    false as cancel_at_period_end, versions.canceled_at, versions.reason as cancellation_details_comment,
    case when contracts.ended_on <= {present} then contracts.ended_on::timestamp at time zone 'UTC' end as ended_at,
    null::text as pause_collection_behavior, versions.since as _fivetran_start,
    lead(versions.since) over (partition by versions.subscription_id order by versions.since) is null as _fivetran_active,
    true as livemode
from versions
inner join contracts on versions.subscription_id = contracts.subscription_id
inner join stripe.subscription_item as items on contracts.subscription_id = items.subscription_id;
