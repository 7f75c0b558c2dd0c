-- Identity: one-use codes, the certificates of devices, and which devices are barred. No secret stands here: of a code a
-- hash is kept, of a key what it is known by.

CREATE TABLE certificate (
    serial          text PRIMARY KEY CHECK (serial ~ '^[0-9a-f]{40}$'),
    device          integer NOT NULL REFERENCES device (id),
    spki_sha256     bytea NOT NULL CHECK (length(spki_sha256) = 32),
    not_before      timestamptz NOT NULL,
    not_after       timestamptz NOT NULL,
    issued_at       timestamptz NOT NULL,
    renews          text REFERENCES certificate (serial), -- null: it was had by a code
    pem             text NOT NULL,
    revoked_at      timestamptz,
    reason          text,
    cut_off_at      timestamptz,                     -- its sessions at brokers have certainly ended
    CHECK ((revoked_at IS NULL) = (reason IS NULL)),
    CHECK (revoked_at IS NOT NULL OR cut_off_at IS NULL)
);
CREATE INDEX certificate_device ON certificate (device, issued_at);
CREATE INDEX certificate_revoked ON certificate (revoked_at) WHERE revoked_at IS NOT NULL;
-- The same request again gets the same certificate, so no key gets two for the same one.
CREATE UNIQUE INDEX certificate_renewal ON certificate (renews, spki_sha256) WHERE renews IS NOT NULL;

CREATE TABLE enrol_code (
    sha256          bytea PRIMARY KEY CHECK (length(sha256) = 32),
    device          integer NOT NULL REFERENCES device (id),
    issued_at       timestamptz NOT NULL,
    expires_at      timestamptz NOT NULL,
    withdrawn_at    timestamptz,                     -- another one was made for the device, or it was revoked
    used_at         timestamptz,
    spki_sha256     bytea CHECK (length(spki_sha256) = 32), -- of the key that used it
    serial          text REFERENCES certificate (serial),
    CHECK ((used_at IS NULL) = (spki_sha256 IS NULL) AND (used_at IS NULL) = (serial IS NULL))
);
CREATE INDEX enrol_code_device ON enrol_code (device);

-- What comes from these devices is let go, until they are enrolled again.
CREATE TABLE barred_device (
    device          integer PRIMARY KEY REFERENCES device (id),
    since           timestamptz NOT NULL,
    reason          text NOT NULL
);
