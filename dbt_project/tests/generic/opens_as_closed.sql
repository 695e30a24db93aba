{# Each part of a bridge opens with what it closed the month before; a part without a row had nothing. #}
{% test opens_as_closed(model) %}

select
    coalesce(bridge.month, before.next_month) as month,
    coalesce(bridge.segment_kind, before.segment_kind) as segment_kind,
    coalesce(bridge.segment, before.segment) as segment
from {{ model }} as bridge
full join (
    select
        *,
        cast(month + interval '1 month' as date) as next_month
    from {{ model }}
) as before
    on
        bridge.month = before.next_month
        and bridge.segment_kind = before.segment_kind
        and bridge.segment = before.segment
where
    abs(coalesce(bridge.opening_mrr, 0) - coalesce(before.closing_mrr, 0)) > 1e-4
    and coalesce(bridge.month, before.next_month) <= (select max(month) from {{ model }})

{% endtest %}
