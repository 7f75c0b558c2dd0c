-- People of the hub: who may see what, how they are known, and what they did to people and tokens. No secret stands
-- here in clear, and no address: a token and a session are kept as SHA-256 of 256 random bits, a password as Argon2id.

CREATE TABLE person (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL UNIQUE CHECK (name = lower(name)),
    role            text NOT NULL,                   -- hub/people/roles.py; an unknown one is allowed nothing
    provinces       text[] CHECK (provinces <> '{}'), -- null: all of them, and what stands in none
    password        text NOT NULL CHECK (password LIKE '$argon2%'),
    password_set_at timestamptz NOT NULL,
    created_at      timestamptz NOT NULL,
    disabled_at     timestamptz,
    failures        double precision NOT NULL DEFAULT 0, -- hub/people/lockout.py: how full the bucket was ...
    failed_at       timestamptz,                     -- ... and when
    unlocked_at     timestamptz
);

CREATE TABLE person_session (
    sha256          bytea PRIMARY KEY CHECK (length(sha256) = 32),
    person          integer NOT NULL REFERENCES person (id),
    began_at        timestamptz NOT NULL,
    seen_at         timestamptz NOT NULL
);
CREATE INDEX person_session_person ON person_session (person);

CREATE TABLE api_token (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key             text NOT NULL UNIQUE,            -- the part that is no secret
    name            text NOT NULL,                   -- what it is for
    sha256          bytea NOT NULL CHECK (length(sha256) = 32),
    scopes          text[] NOT NULL CHECK (scopes <> '{}'),
    provinces       text[] CHECK (provinces <> '{}'), -- null: all of them, and what stands in none
    created_at      timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    revoked_at      timestamptz,
    used_at         timestamptz
);

CREATE TABLE audit_entry (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL,
    who             text NOT NULL,                   -- command:<user of the system>, person:<name>, token:<key>, nobody
    deed            text NOT NULL,                   -- hub/people/deeds.py
    what            text NOT NULL,                   -- person:<name>, token:<key>
    detail          jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_entry_at ON audit_entry (at);

CREATE FUNCTION audit_entry_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_entry is append-only: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_stays();
CREATE TRIGGER audit_entry_stays_whole BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_stays();
