create function cs.person_of_alert(account text, entity text, facts jsonb)
returns text
language sql
stable
as $$ select cs.name_of_person(account, coalesce(facts ->> 'user_id', entity)) $$;
comment on function cs.person_of_alert is
'What the user is called whom an alert is about, by its facts or its entity; null where no user of that id is known.';
