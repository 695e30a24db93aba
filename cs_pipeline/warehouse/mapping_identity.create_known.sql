-- People and companies as sources give them, and domains that say nothing about a company.
create temporary table known_people (email text, account_id text, user_id text) on commit drop;
create temporary table known_companies (domain text, account_id text) on commit drop;
create temporary table known_free_mail (domain text) on commit drop;
