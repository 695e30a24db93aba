-- People of the customer-success site --------------------------------------------------------------------------------

create table cs.site_users (
    name text primary key check (name = lower(name) and name <> ''),  -- as decisions are recorded: an e-mail address
    password_hash text not null,          -- argon2id, with its salt and parameters
    added_by text not null,
    added_at timestamptz not null default now(),
    changed_at timestamptz not null default now()  -- when the password was set last
);
comment on table cs.site_users is
'Who may sign in to the customer-success site with a password.';

create table cs.site_sessions (
    token_hash bytea primary key,         -- SHA-256 of the token in the cookie of the browser
    name text not null references cs.site_users (name) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
comment on table cs.site_sessions is
'Browsers that are signed in. They end with their user, with a new password, by signing out, or in time.';

create index site_sessions_name on cs.site_sessions (name);
