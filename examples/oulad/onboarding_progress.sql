-- The steps of a course are its assignments; exams have no date and nobody hands them in here. A banked assignment was
-- handed in in an earlier presentation and counts as done.
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

steps as (
    select
        assessments.code_module,
        assessments.code_presentation,
        assessments.id_assessment,
        presentations.starts_on,
        row_number() over (
            partition by assessments.code_module, assessments.code_presentation
            order by assessments.date::integer, assessments.id_assessment
        ) as position,
        assessments.assessment_type
    from landing.assessments
    inner join presentations using (code_module, code_presentation)
    where assessments.date is not null
)

select
    studentregistration.code_module || '-' || studentregistration.code_presentation || '-' || id_student as account_id,
    format('%s %s', lower(steps.assessment_type), steps.position) as step,
    steps.position::integer as position,
    steps.starts_on::timestamptz as started_at,
    (steps.starts_on + studentassessment.date_submitted::integer)::timestamptz as completed_at,
    steps.position = 1 as is_aha
from landing.studentregistration
inner join steps using (code_module, code_presentation)
left join landing.studentassessment using (id_assessment, id_student)
