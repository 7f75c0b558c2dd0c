-- name: alone - only one maintenance at a time; false if another one is at work
SELECT pg_try_advisory_lock(hashtext('ttdn-hub maintain'))

-- name: alone_no_more - let another one
SELECT pg_advisory_unlock(hashtext('ttdn-hub maintain'))

-- name: expire_before - note that rows of a kind before this moment are going: no recount may miss them
INSERT INTO expiry AS known (kind, before) VALUES (%(kind)s, %(before)s)
ON CONFLICT (kind) DO UPDATE SET before = greatest(known.before, excluded.before)

-- name: brin - summaries of new ranges of rows, so that a scan by time can pass over them
SELECT brin_summarize_new_values(c.oid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am a ON a.oid = c.relam JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'hub' AND a.amname = 'brin'

-- name: forget_sessions - sessions of agents by which a clone would be known; one that is over for so long comes no more
DELETE FROM session s USING device_now n
WHERE n.device = s.device AND s.session IS DISTINCT FROM n.session AND s.first_seen < %(now)s - interval '30 days'

-- name: retire_rejected - drop bytes that nobody could read, and count those with a number as retired. Returns how many
WITH gone AS (
    DELETE FROM rejected WHERE stored_at < %(before)s RETURNING stream
), counted AS (
    SELECT stream, count(*) AS events FROM gone WHERE stream IS NOT NULL GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'rejected', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT count(*) FROM gone

-- name: retire_play - drop some old rows and count them as retired, in one statement. Returns how many
WITH gone AS (
    DELETE FROM play WHERE ctid = ANY (ARRAY(SELECT ctid FROM play WHERE time < %(before)s LIMIT %(most)s))
    RETURNING stream
), counted AS (
    SELECT stream, count(*) AS events FROM gone GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'play', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT count(*) FROM gone

-- name: retire_screen - drop some old rows and count them as retired, in one statement. Returns how many
WITH gone AS (
    DELETE FROM screen WHERE ctid = ANY (ARRAY(SELECT ctid FROM screen WHERE time < %(before)s LIMIT %(most)s))
    RETURNING stream
), counted AS (
    SELECT stream, count(*) AS events FROM gone GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'screen', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT count(*) FROM gone

-- name: retire_health - drop some old rows and count them as retired, in one statement. Returns how many
WITH gone AS (
    DELETE FROM health WHERE ctid = ANY (ARRAY(SELECT ctid FROM health WHERE time < %(before)s LIMIT %(most)s))
    RETURNING stream
), counted AS (
    SELECT stream, count(*) AS events FROM gone GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'health', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT count(*) FROM gone

-- name: retire_fault - drop some old rows and count them as retired, in one statement. Returns how many
WITH gone AS (
    DELETE FROM fault WHERE ctid = ANY (ARRAY(SELECT ctid FROM fault WHERE time < %(before)s LIMIT %(most)s))
    RETURNING stream
), counted AS (
    SELECT stream, count(*) AS events FROM gone GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'fault', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT count(*) FROM gone

-- name: retire_lifecycle - drop some old rows and count them as retired, in one statement. Returns how many
WITH gone AS (
    DELETE FROM lifecycle WHERE ctid = ANY (ARRAY(SELECT ctid FROM lifecycle WHERE time < %(before)s LIMIT %(most)s))
    RETURNING stream
), counted AS (
    SELECT stream, count(*) AS events FROM gone GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'lifecycle', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT count(*) FROM gone

-- name: retire_loss - drop some old rows and count them as retired, in one statement. Returns how many
WITH gone AS (
    DELETE FROM loss WHERE ctid = ANY (ARRAY(SELECT ctid FROM loss WHERE time < %(before)s LIMIT %(most)s))
    RETURNING stream
), counted AS (
    SELECT stream, count(*) AS events FROM gone GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'loss', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT count(*) FROM gone

-- name: lock_play - keep writers away for as long as a chunk is counted and dropped
LOCK TABLE play IN SHARE ROW EXCLUSIVE MODE

-- name: retire_chunk_play - count the rows of a chunk as retired. Returns how many
WITH counted AS (
    SELECT stream, count(*) AS events FROM play WHERE time >= %(since)s AND time < %(before)s GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'play', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT coalesce(sum(events), 0)::bigint FROM counted

-- name: lock_screen - keep writers away for as long as a chunk is counted and dropped
LOCK TABLE screen IN SHARE ROW EXCLUSIVE MODE

-- name: retire_chunk_screen - count the rows of a chunk as retired. Returns how many
WITH counted AS (
    SELECT stream, count(*) AS events FROM screen WHERE time >= %(since)s AND time < %(before)s GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'screen', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT coalesce(sum(events), 0)::bigint FROM counted

-- name: lock_interaction - keep writers away for as long as a chunk is counted and dropped
LOCK TABLE interaction IN SHARE ROW EXCLUSIVE MODE

-- name: retire_chunk_interaction - count the rows of a chunk as retired. Returns how many
WITH counted AS (
    SELECT stream, count(*) AS events FROM interaction WHERE time >= %(since)s AND time < %(before)s GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'interaction', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT coalesce(sum(events), 0)::bigint FROM counted

-- name: lock_health - keep writers away for as long as a chunk is counted and dropped
LOCK TABLE health IN SHARE ROW EXCLUSIVE MODE

-- name: retire_chunk_health - count the rows of a chunk as retired. Returns how many
WITH counted AS (
    SELECT stream, count(*) AS events FROM health WHERE time >= %(since)s AND time < %(before)s GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'health', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT coalesce(sum(events), 0)::bigint FROM counted

-- name: lock_fault - keep writers away for as long as a chunk is counted and dropped
LOCK TABLE fault IN SHARE ROW EXCLUSIVE MODE

-- name: retire_chunk_fault - count the rows of a chunk as retired. Returns how many
WITH counted AS (
    SELECT stream, count(*) AS events FROM fault WHERE time >= %(since)s AND time < %(before)s GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'fault', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT coalesce(sum(events), 0)::bigint FROM counted

-- name: lock_lifecycle - keep writers away for as long as a chunk is counted and dropped
LOCK TABLE lifecycle IN SHARE ROW EXCLUSIVE MODE

-- name: retire_chunk_lifecycle - count the rows of a chunk as retired. Returns how many
WITH counted AS (
    SELECT stream, count(*) AS events FROM lifecycle WHERE time >= %(since)s AND time < %(before)s GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'lifecycle', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT coalesce(sum(events), 0)::bigint FROM counted

-- name: lock_loss - keep writers away for as long as a chunk is counted and dropped
LOCK TABLE loss IN SHARE ROW EXCLUSIVE MODE

-- name: retire_chunk_loss - count the rows of a chunk as retired. Returns how many
WITH counted AS (
    SELECT stream, count(*) AS events FROM loss WHERE time >= %(since)s AND time < %(before)s GROUP BY stream
), kept AS (
    INSERT INTO retired AS known (stream, kind, events) SELECT stream, 'loss', events FROM counted ORDER BY stream
    ON CONFLICT (stream, kind) DO UPDATE SET events = known.events + excluded.events
)
SELECT coalesce(sum(events), 0)::bigint FROM counted
