{# Tests of a table by account and week that look only at the weeks that were built, so that their cost does not grow
   with history. Without the vars week_from and week_to they look at all. #}

{% test one_row_per_account_and_week(model) %}

select
    account_id,
    week
from {{ weeks_of_run(model) }}
group by account_id, week
having count(*) > 1

{% endtest %}


{# A condition that is null holds. #}
{% test holds_in_weeks(model, condition) %}

select
    account_id,
    week
from {{ weeks_of_run(model) }}
where not ({{ condition }})

{% endtest %}
