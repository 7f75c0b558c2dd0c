-- name: known - what was last heard of an outbox of a device, locked
SELECT number, since, sessions FROM opening WHERE device = %(device)s AND outbox = %(outbox)s::uuid FOR UPDATE

-- name: first - the first that is heard of an outbox; of two workers that hear it at once one has said it
INSERT INTO opening (device, outbox, number, since, sessions)
VALUES (%(device)s, %(outbox)s::uuid, %(number)s, %(since)s, %(sessions)s)
ON CONFLICT (device, outbox) DO NOTHING

-- name: next - what is heard of it now
UPDATE opening SET number = %(number)s, since = %(since)s, sessions = %(sessions)s
WHERE device = %(device)s AND outbox = %(outbox)s::uuid
