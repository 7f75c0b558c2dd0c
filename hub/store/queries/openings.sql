-- name: known - what was last heard of an outbox of a device, locked
SELECT number, session, since, told FROM opening WHERE device = %(device)s AND outbox = %(outbox)s::uuid FOR UPDATE

-- name: note - what is heard of it now; of two workers that note the first one only one does
INSERT INTO opening (device, outbox, number, session, since, told)
VALUES (%(device)s, %(outbox)s::uuid, %(number)s, %(session)s, %(since)s, %(told)s)
ON CONFLICT (device, outbox) DO UPDATE
SET number = excluded.number, session = excluded.session, since = excluded.since, told = excluded.told
WHERE opening.number < excluded.number OR opening.told <> excluded.told
