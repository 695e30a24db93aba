-- One event a row of studentVle: the clicks of a student on one page on one day; the kind of page is the feature.
-- Rows have no key of their own and repeat, so the line of the file is the key. Only days are known: noon UTC is on the
-- same day in every European time zone. A day with clicks is also a day with a login, which the data do not record.
with presentations as (
    select
        code_module,
        code_presentation,
        make_date(
            left(code_presentation, 4)::integer,
            case right(code_presentation, 1) when 'J' then 10 when 'B' then 2 end,
            1
        ) as starts_on
    from landing.courses
),

clicks as (
    select
        studentvle._line,
        code_module || '-' || code_presentation || '-' || id_student as account_id,
        presentations.starts_on + studentvle.date::integer + interval '12 hours' as occurred_at,
        vle.activity_type,
        studentvle.sum_click
    from landing.studentvle
    inner join presentations using (code_module, code_presentation)
    left join landing.vle using (code_module, code_presentation, id_site)
)

select
    'click-' || _line as event_id,
    account_id,
    account_id as user_id,
    occurred_at at time zone 'UTC' as occurred_at,
    'click' as event_name,
    activity_type as feature,
    sum_click::double precision as quantity
from clicks
union all
select
    'login-' || account_id || '-' || occurred_at::date,
    account_id,
    account_id,
    occurred_at at time zone 'UTC',
    'login',
    null,
    1::double precision
from (select distinct account_id, occurred_at from clicks) as active_days
