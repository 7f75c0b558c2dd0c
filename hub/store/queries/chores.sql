-- name: alone - one process at a time does the chores of a lane; the lock is held for as long as its connection lives
SELECT pg_try_advisory_lock(hashtext('ttdn-hub ' || %(lane)s))

-- name: done_at - when a chore was last done
SELECT done_at FROM chore WHERE name = %(name)s

-- name: done - a chore is done
INSERT INTO chore (name, done_at) VALUES (%(name)s, %(now)s) ON CONFLICT (name) DO UPDATE SET done_at = excluded.done_at
