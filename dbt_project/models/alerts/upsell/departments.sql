with

joined as (

    select
        moments.as_of,
        newcomers.account_id as new_account_id,
        newcomers.created_at as joined_at,
        newcomers.parent_account_id
    from {{ moments() }} as moments
    inner join {{ ref('stg_accounts') }} as newcomers
        on {{ is_news('newcomers.created_at', 'moments.as_of') }}
    where
        newcomers.parent_account_id is not null
        and {{ was_known('newcomers._loaded_at', 'newcomers.created_at', 'moments.as_of') }}

)

select
    joined.as_of,
    relatives.account_id,
    joined.new_account_id as entity,
    cast(1 as double precision) as measured,
    cast(1 as double precision) as held_against,
    jsonb_build_object('joined_at', joined.joined_at) as facts
from joined
inner join {{ ref('stg_accounts') }} as relatives
    on
        joined.parent_account_id = relatives.account_id
        or joined.parent_account_id = relatives.parent_account_id
where
    relatives.account_id != joined.new_account_id
    and relatives.created_at < joined.joined_at
    and {{ is_customer('relatives', 'joined.as_of') }}
