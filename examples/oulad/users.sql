-- One person an account: the student. The data are anonymous; the address is a placeholder in a domain that is
-- reserved for examples, so that mail has somebody to be captured for.
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
    code_module || '-' || code_presentation || '-' || id_student as user_id,
    code_module || '-' || code_presentation || '-' || id_student as account_id,
    format('student.%s@example.org', id_student) as email,
    format('Student %s', id_student) as full_name,
    (presentations.starts_on + date_registration::integer)::timestamptz as created_at,
    (presentations.starts_on + date_unregistration::integer)::timestamptz as deleted_at,
    'Europe/London' as timezone
from landing.studentregistration
inner join presentations using (code_module, code_presentation)
