-- From which severity to which customers moved within the month.
with customers as ({customers})

select
    severity_before,
    severity,
    count(*) as accounts,
    sum(arr) as arr
from customers
where severity is not null or severity_before is not null
group by severity_before, severity
order by severity_before nulls last, severity nulls last
