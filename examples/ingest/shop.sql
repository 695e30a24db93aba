-- The database of a product, as its developers made it: 40 companies, three people each, half a year of clicks.
create table companies (
    id bigint primary key,
    name text not null,
    country text not null,
    signed_up_at timestamptz not null,
    left_at timestamptz,
    account_manager text,
    updated_at timestamptz not null
);

create table people (
    id bigint primary key,
    company_id bigint not null references companies,
    email text not null,
    name text not null,
    invited_at timestamptz not null,
    updated_at timestamptz not null
);

create table contracts (
    id bigint primary key,
    company_id bigint not null references companies,
    plan text not null,
    seats integer not null,
    euros_a_month numeric(10, 2) not null,
    begins date not null,
    renews date not null,
    updated_at timestamptz not null
);

create table clicks (
    id bigint primary key,
    person_id bigint not null references people,
    clicked_at timestamptz not null,
    what text not null
);

insert into companies
select
    id,
    'Company ' || id,
    (array['DE', 'FR', 'US', 'JP'])[1 + id % 4],
    now() - interval '1 year' - id * interval '1 day',
    null,
    'ada@us.example',
    now() - interval '1 day'
from generate_series(1, 40) as id;

insert into people
select
    company * 10 + person,
    company,
    'person' || person || '@company' || company || '.example',
    'Person ' || person || ' of ' || company,
    now() - interval '1 year',
    now() - interval '1 day'
from generate_series(1, 40) as company, generate_series(1, 3) as person;

insert into contracts
select
    1000 + company,
    company,
    (array['basic', 'team', 'enterprise'])[1 + company % 3],
    5,
    100 * (1 + company % 7),
    (now() - interval '1 year')::date - company::integer,
    (now() + interval '1 year')::date - company::integer,
    now() - interval '1 day'
from generate_series(1, 40) as company;

-- Every fourth company lost interest two months ago.
insert into clicks
select
    row_number() over (order by days.day, people.id),
    people.id,
    days.day + people.id % 600 * interval '1 minute',
    (array['login', 'report', 'export', 'invite'])[1 + (people.id + extract(doy from days.day)::integer) % 4]
from generate_series(now() - interval '26 weeks', now() - interval '1 day', interval '1 day') as days (day)
cross join people
where people.company_id % 4 > 0 or days.day < now() - interval '9 weeks';

create index clicks_by_moment on clicks (clicked_at);
