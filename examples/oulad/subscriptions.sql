-- A registration runs from its day to the day the student left, else to the end of the presentation. That end is the
-- renewal date: whoever wants to go on has to register for something else.
with presentations as (
    select
        code_module,
        code_presentation,
        module_presentation_length::integer as days,
        make_date(
            left(code_presentation, 4)::integer,
            case right(code_presentation, 1) when 'J' then 10 when 'B' then 2 end,
            1
        ) as starts_on
    from landing.courses
)

select
    code_module || '-' || code_presentation || '-' || id_student as subscription_id,
    code_module || '-' || code_presentation || '-' || id_student as account_id,
    code_module as product,
    code_module as plan,
    1 as seats, -- a registration is one seat, for one person
    0::double precision as mrr,
    presentations.starts_on + date_registration::integer as started_on,
    presentations.starts_on + coalesce(date_unregistration::integer, presentations.days) as ended_on,
    presentations.starts_on + presentations.days as renews_on,
    false as auto_renew,
    false as is_trial,
    false as is_addon
from landing.studentregistration
inner join presentations using (code_module, code_presentation)
