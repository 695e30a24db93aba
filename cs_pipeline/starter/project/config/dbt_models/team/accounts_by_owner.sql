-- A model of ours upon the pipeline's marts. It is built with the week and is an asset in Dagster.
select
    coalesce(owner_email, '') as owner_email,
    count(*) as accounts,
    sum(arr) as arr
from {{ ref('dim_accounts') }}
where churned_at is null
group by coalesce(owner_email, '')
