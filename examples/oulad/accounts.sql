-- An account is a student in one presentation of a module. Days count from the presentation's first day.
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
)

select
    code_module || '-' || code_presentation || '-' || id_student as account_id,
    format('Student %s, %s %s', id_student, code_module, code_presentation) as account_name,
    (presentations.starts_on + date_registration::integer)::timestamptz as created_at,
    (presentations.starts_on + date_unregistration::integer)::timestamptz as churned_at,
    code_module as plan,
    'Education' as industry,
    'GB' as country,
    'Europe/London' as timezone,
    format('tutors.%s@example.org', lower(code_module)) as owner_email,
    format('#tutors-%s', lower(code_module)) as slack_channel
from landing.studentregistration
inner join presentations using (code_module, code_presentation)
