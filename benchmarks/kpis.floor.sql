-- MRR of every month, and net and gross retention over twelve months, of the whole company: the floor of kpis.py.
create temporary table paid as
select
    months.month::date as month,
    subscriptions.account_id,
    sum(subscriptions.mrr) as mrr
from generate_series(date :'first', date :'last', interval '1 month') as months (month)
inner join raw.subscriptions
    on
        subscriptions.started_on < months.month + interval '1 month'
        and (subscriptions.ended_on is null or subscriptions.ended_on >= months.month + interval '1 month')
group by months.month, subscriptions.account_id;
analyze paid;

create table floor_kpis as
select month, 'mrr' as kpi, sum(mrr) as value from paid group by month
union all
select
    (started.month + interval '12 months')::date,
    kpis.kpi,
    sum(case kpis.kpi when 'nrr' then coalesce(now.mrr, 0) else least(coalesce(now.mrr, 0), started.mrr) end)
    / sum(started.mrr)
from paid as started
left join paid as now
    on started.account_id = now.account_id and (started.month + interval '12 months')::date = now.month
cross join (values ('nrr'), ('grr')) as kpis (kpi)
where started.month + interval '12 months' <= date :'last'
group by started.month, kpis.kpi;
