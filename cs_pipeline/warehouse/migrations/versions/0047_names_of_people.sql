create function cs.name_of_person(account text, person text)
returns text
language plpgsql
stable
as $$
begin
    return (
        select users.full_name
        from raw.users as users
        where users.account_id = account and users.user_id = person
    );
exception
    when undefined_table then
        return null;
end
$$;
comment on function cs.name_of_person is
'What a user is called today, for whoever reads of the user by id; null where no name is known, also after an erasure.';
