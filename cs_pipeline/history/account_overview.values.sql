-- Each value that accounts can be filtered by, with how many have it (see account_overview.py).
insert into cs.account_overview_values (filter, value, accounts, arr, severity)
select
    filters.filter,
    filters.value,
    count(*),
    sum(overview.arr::numeric)::double precision,  -- decimal, so that it does not depend on the order of accounts
    max(overview.severity) filter (where filters.filter = 'band')
from cs.account_overview as overview
cross join
    lateral (
        values
        ('band', coalesce(overview.band, 'no score')),
        ('tier', overview.tier),
        ('plan', overview.plan),
        ('industry', overview.industry),
        ('stage', overview.lifecycle_stage),
        ('owner', overview.owner_email)
    ) as filters (filter, value)
where filters.value is not null
group by filters.filter, filters.value
