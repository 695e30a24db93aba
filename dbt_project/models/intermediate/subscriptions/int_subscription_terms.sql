{#
    Partitions by account throughout, so that a filter on accounts reaches the tables below: plays ask for a few.
#}
{%- set tolerance = renewal_tolerance_days() -%}

with

-- With the first day of the term, which mid-term changes of plan or price share with the row before them, and whether
-- the account had nothing of the product when the period began.
periods as (

    select
        *,
        min(started_on) over (partition by account_id, product, is_addon, renews_on) as term_started_on,
        not is_addon
        and not is_trial
        and coalesce(
            max(coalesce(ended_on, 'infinity')) over (
                partition by account_id, product, is_addon
                order by started_on, subscription_id
                rows between unbounded preceding and 1 preceding
            ) < started_on - {{ tolerance }},
            true
        ) as is_first_of_product
    from {{ ref('stg_subscriptions') }}

),

beside_the_account as (

    select
        *,
        array_agg(started_on) filter (where is_first_of_product) over (partition by account_id) as first_starts,
        array_agg(product) filter (where is_first_of_product) over (partition by account_id) as first_products,
        cast(round((renews_on - term_started_on) / 30.4375) as integer) as term_months
    from periods

),

-- Nobody has to sign: the term goes on by its own length, a year at most.
with_length as (

    select
        *,
        case
            when
                auto_renew
                and term_months in (1, 2, 3, 4, 6)
                and abs(cast(term_started_on + make_interval(months => term_months) as date) - renews_on) <= 1
                then term_months
            when auto_renew and renews_on is not null then 12
        end as renews_every_months,
        least({{ tolerance }}, 5 * greatest(term_months, 1)) as days_around_renewal
    from beside_the_account

),

-- A renewal date that is not after the start is the one of the term before.
terms as (

    select
        with_length.subscription_id,
        with_length.account_id,
        with_length.product,
        with_length.plan,
        with_length.tier,
        with_length.seats,
        with_length.mrr,
        with_length.started_on,
        with_length.ended_on,
        case
            when with_length.renews_on > with_length.started_on then with_length.renews_on
            when with_length.auto_renew
                then
                    {{ next_renewal(
                        'with_length.renews_on', 'with_length.renews_every_months', '(with_length.started_on + 1)'
                    ) | indent(20) }}
        end as renews_on,
        with_length.renews_every_months,
        with_length.days_around_renewal,
        with_length.is_trial,
        with_length.is_addon,
        case when with_length.auto_renew then 'auto' else 'manual' end as renewal_type,
        case when not with_length.is_addon and with_length.ended_on is not null then moves.moved_on end as moved_on
    from with_length
    left join lateral (
        select min(others.started_on) as moved_on
        from unnest(with_length.first_starts, with_length.first_products) as others (started_on, product)
        where
            others.product != with_length.product
            and others.started_on between with_length.ended_on - {{ tolerance }}
            and with_length.ended_on + {{ tolerance }}
    ) as moves on with_length.first_starts is not null

),

-- Every term beside each later period of its product that may have taken its place: a row a pair, or one without.
pairs as (

    select
        terms.*,
        later.subscription_id as later_subscription_id,
        later.started_on as later_started_on,
        later.mrr as later_mrr,
        later._loaded_at as later_loaded_at,
        abs(ln(nullif(later.mrr, 0)) - ln(nullif(terms.mrr, 0))) as ratio,
        least(
            abs(later.started_on - terms.ended_on),
            abs(later.started_on - {{ next_renewal(
                'terms.renews_on', 'terms.renews_every_months', '(later.started_on - terms.days_around_renewal)'
            ) | indent(16) }})
        ) as days_apart
    from terms
    left join {{ ref('stg_subscriptions') }} as later
        on
            terms.account_id = later.account_id
            and terms.product = later.product
            and terms.is_addon = later.is_addon
            and terms.started_on < later.started_on
            and (terms.is_trial or not later.is_trial)
            and (terms.ended_on is null or later.started_on <= terms.ended_on + {{ tolerance }})
            and (
                -- What follows an end, or starts on the renewal date, may be of any size.
                terms.ended_on - 1 <= later.started_on
                or abs(later.started_on - {{ next_renewal(
                    'terms.renews_on', 'terms.renews_every_months', '(later.started_on - 1)'
                ) | indent(16) }}) <= 1
                -- What starts beside a term that runs is its renewal only when it is of a like size.
                or (
                    (
                        terms.is_trial
                        or terms.mrr = later.mrr
                        or abs(ln(nullif(later.mrr, 0)) - ln(nullif(terms.mrr, 0))) <= ln(2)
                    )
                    and (
                        terms.ended_on - {{ tolerance }} <= later.started_on
                        or abs(later.started_on - {{ next_renewal(
                            'terms.renews_on',
                            'terms.renews_every_months',
                            '(later.started_on - terms.days_around_renewal)'
                        ) | indent(24) }}) <= terms.days_around_renewal
                    )
                )
            )

),

-- Of like sizes the largest goes with the largest: sites that were sold together renew together.
with_ranks as (

    select
        *,
        case when mrr = later_mrr then 0 else coalesce(round(ratio / 0.2), 99) end as size_apart,
        dense_rank() over (
            partition by account_id, product, is_addon, later_started_on, days_apart
            order by mrr desc, subscription_id asc
        ) as size_rank,
        dense_rank() over (
            partition by account_id, product, is_addon, later_started_on, days_apart
            order by later_mrr desc, later_subscription_id asc
        ) as later_size_rank
    from pairs

),

round_0 as (

    select
        *,
        abs(size_rank - later_size_rank) as ranks_apart,
        false as is_settled_0
    from with_ranks

),
{%- set nearest_first %}
                days_apart,
                size_apart,
                ranks_apart,
                later_started_on,
                subscription_id,
                later_subscription_id
{%- endset %}
{% for nth in range(1, 4) %}
-- Nearest first: two that are the nearest of each other belong together; then those that are left.
nearest_{{ nth }} as (

    select
        *,
        not is_settled_{{ nth - 1 }}
        and later_subscription_id is not null
        and row_number() over (
            partition by account_id, subscription_id, is_settled_{{ nth - 1 }}
            order by {{- nearest_first }}
        ) = 1
        and row_number() over (
            partition by account_id, later_subscription_id, is_settled_{{ nth - 1 }}
            order by {{- nearest_first }}
        ) = 1 as is_match_{{ nth }}
    from round_{{ nth - 1 }}

),

round_{{ nth }} as (

    select
        *,
        is_settled_{{ nth - 1 }}
        or bool_or(is_match_{{ nth }}) over (partition by account_id, subscription_id)
        or bool_or(is_match_{{ nth }}) over (partition by account_id, later_subscription_id) as is_settled_{{ nth }}
    from nearest_{{ nth }}

),
{% endfor %}
with_match as (

    select
        *,
        is_match_1 or is_match_2 or is_match_3 as is_match
    from round_3

),

one_a_term as (

    select distinct on (account_id, subscription_id) *
    from with_match
    order by account_id asc, subscription_id asc, is_match desc

),

with_successor as (

    select
        subscription_id,
        account_id,
        product,
        plan,
        tier,
        seats,
        mrr,
        started_on,
        ended_on,
        renews_on,
        renews_every_months,
        is_trial,
        is_addon,
        renewal_type,
        moved_on,
        case when is_match then later_subscription_id end as successor_subscription_id,
        case when is_match then later_started_on end as successor_started_on,
        case when is_match then least(later_started_on, {{ utc_day('later_loaded_at') }}) end as successor_known_on
    from one_a_term

)

select * from with_successor
