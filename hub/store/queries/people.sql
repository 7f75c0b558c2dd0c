-- name: add_person - somebody new; no row comes back if the name is taken
INSERT INTO person (name, role, provinces, password, password_set_at, created_at)
VALUES (%(name)s, %(role)s, %(provinces)s, %(password)s, %(now)s, %(now)s)
ON CONFLICT (name) DO NOTHING RETURNING id

-- name: persons - everybody, by name, or the one of this name
SELECT id, name, role, provinces, password, password_set_at, created_at, disabled_at, failures, failed_at, unlocked_at
FROM person WHERE %(name)s::text IS NULL OR name = %(name)s ORDER BY name

-- name: anybody - whether there is any person
SELECT EXISTS (SELECT FROM person)

-- name: set_password - another password, and with it a clean slate
UPDATE person SET password = %(password)s, password_set_at = %(now)s, failures = 0, failed_at = NULL,
                  unlocked_at = %(now)s
WHERE name = %(name)s RETURNING id

-- name: rehash - the same password, kept better; not if it was changed meanwhile
UPDATE person SET password = %(password)s WHERE id = %(id)s AND password = %(former)s

-- name: disable - nobody comes in by this name any more
UPDATE person SET disabled_at = coalesce(disabled_at, %(now)s) WHERE name = %(name)s RETURNING id

-- name: enable - and again
UPDATE person SET disabled_at = NULL WHERE name = %(name)s RETURNING id

-- name: unlock - what was failed before is forgiven
UPDATE person SET failures = 0, failed_at = NULL, unlocked_at = %(now)s WHERE name = %(name)s RETURNING id

-- name: lock_failures - what is remembered of failures, held until it is written again
SELECT failures, failed_at FROM person WHERE id = %(id)s FOR UPDATE

-- name: put_failures - one failure more
UPDATE person SET failures = %(failures)s, failed_at = %(failed_at)s WHERE id = %(id)s

-- name: open_session - somebody has come in; no row comes back if disabled, or of another password, meanwhile
INSERT INTO person_session (sha256, person, began_at, seen_at)
SELECT %(sha256)s, id, %(now)s, %(now)s FROM person
WHERE id = %(person)s AND password = %(password)s AND disabled_at IS NULL FOR UPDATE
RETURNING person

-- name: forget_sessions - sessions that are over, by any of the two limits
DELETE FROM person_session WHERE began_at <= %(began_before)s OR seen_at <= %(seen_before)s

-- name: session - a session and whose it is, unless that person is disabled
SELECT p.name, p.role, p.provinces, s.began_at, s.seen_at
FROM person_session s JOIN person p ON p.id = s.person
WHERE s.sha256 = %(sha256)s AND p.disabled_at IS NULL

-- name: note_session - a session was used
UPDATE person_session SET seen_at = greatest(seen_at, %(now)s) WHERE sha256 = %(sha256)s

-- name: close_session - somebody has gone
DELETE FROM person_session s USING person p WHERE s.sha256 = %(sha256)s AND p.id = s.person RETURNING p.name

-- name: close_sessions - somebody has to come in anew, everywhere
DELETE FROM person_session WHERE person = %(id)s

-- name: add_token - a token; its text is not known here
INSERT INTO api_token (key, name, sha256, scopes, provinces, created_at, expires_at)
VALUES (%(key)s, %(name)s, %(sha256)s, %(scopes)s, %(provinces)s, %(now)s, %(expires_at)s)

-- name: tokens - all tokens, or the one of this key
SELECT id, key, name, sha256, scopes, provinces, created_at, expires_at, revoked_at, used_at
FROM api_token WHERE %(key)s::text IS NULL OR key = %(key)s ORDER BY created_at, id

-- name: note_token - a token was used
UPDATE api_token SET used_at = %(now)s WHERE id = %(id)s

-- name: revoke_token - a token lets nobody in any more; no row comes back if there is none
UPDATE api_token SET revoked_at = coalesce(revoked_at, %(now)s) WHERE key = %(key)s RETURNING name

-- name: note - an entry of the audit log
INSERT INTO audit_entry (at, who, deed, what, detail) VALUES (%(now)s, %(who)s, %(deed)s, %(what)s, %(detail)s)

-- name: province_is_known - whether a registered site stands in this province
SELECT EXISTS (SELECT FROM site_now WHERE province_code = %(code)s)
