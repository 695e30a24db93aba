create view cs.active_scores as
select * from cs.health_scores -- noqa: AM04
where is_active;
comment on view cs.active_scores is 'The score that counts, one row per week and account, whichever model it is of.';

-- No rows would look like a model that scored nobody; a version that never scored is a mistake of who asks.
create function cs.require_version(asked_model text, asked_version text) returns boolean
language plpgsql stable as $$
begin
    if exists (select from cs.score_models where model = asked_model and model_version = asked_version) then
        return true;
    end if;
    raise exception using
        message = 'no week was ever scored by version ' || asked_version || ' of the model ' || asked_model,
        hint = 'cs-pipeline model list lists all versions';
end
$$;

create function cs.scores_of(asked_model text, asked_version text) returns setof cs.health_scores
language sql stable as $$
    select health_scores.*
    from cs.health_scores
    where
        cs.require_version(asked_model, asked_version)
        and health_scores.model = asked_model
        and health_scores.model_version = asked_version
$$;
comment on function cs.scores_of is
'The scores of one version of one model, whether they count or not. An error for a version that never scored.';
