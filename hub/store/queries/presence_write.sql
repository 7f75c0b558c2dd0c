-- name: writable - changes nothing; fails where this database cannot be written to now
UPDATE hub_link SET seen_at = seen_at WHERE false

-- name: silence - what silence means, for the views of readers
INSERT INTO silence (alive, link) VALUES (make_interval(secs => %(alive_s)s), make_interval(secs => %(link_s)s))
ON CONFLICT (one) DO UPDATE SET alive = EXCLUDED.alive, link = EXCLUDED.link
WHERE (silence.alive, silence.link) <> (EXCLUDED.alive, EXCLUDED.link)

-- name: now - the device's current session, locked; made if it is not there
INSERT INTO device_now AS now (device) VALUES (%(device)s)
ON CONFLICT (device) DO UPDATE SET device = now.device
RETURNING session, session_returns, session_returned_at

-- name: note_session - note a session; returns nothing if it was there before
INSERT INTO session (device, session, first_seen) VALUES (%(device)s, %(session)s, %(now)s)
ON CONFLICT (device, session) DO NOTHING RETURNING session

-- name: set_session - another session speaks for the device now
UPDATE device_now
SET session = %(session)s, session_returns = %(returns)s, session_returned_at = %(returned_at)s
WHERE device = %(device)s

-- name: set_queue - what the device says of its outbox
UPDATE device_now
SET queue_events = %(events)s, queue_oldest_s = %(oldest_s)s, queue_full = %(full)s, queue_refused = %(refused)s,
    version = coalesce(%(version)s, version)
WHERE device = %(device)s

-- name: seen - open an interval of presence, or say that it goes on; a word that comes after the goodbye opens nothing
INSERT INTO presence (device, nonce, broker, since, seen_at)
SELECT %(device)s, %(nonce)s, %(broker)s, %(now)s, %(now)s
WHERE NOT EXISTS (
    SELECT FROM presence p
    WHERE p.device = %(device)s AND p.nonce = %(nonce)s AND p.ended IN ('stop', 'lost', 'replaced')
)
ON CONFLICT (device, nonce) WHERE until IS NULL
DO UPDATE SET seen_at = greatest(presence.seen_at, excluded.seen_at), broker = excluded.broker

-- name: replaced - a new connection of a device ends its others
UPDATE presence SET until = %(now)s, ended = 'replaced'
WHERE device = %(device)s AND nonce <> %(nonce)s AND until IS NULL

-- name: gone - a connection said goodbye, or the broker did in its place
UPDATE presence SET until = %(now)s, seen_at = %(now)s, ended = %(reason)s
WHERE device = %(device)s AND nonce = %(nonce)s AND until IS NULL

-- name: silent - close what was not heard on a broker for so long, though we listened all the while
UPDATE presence p SET until = p.seen_at, ended = CASE WHEN p.seen_at < %(listening_since)s THEN 'unknown' ELSE 'silence' END
WHERE p.broker = %(broker)s AND p.until IS NULL
  AND p.seen_at < %(now)s - make_interval(secs => %(timeout_s)s)
  AND %(listening_since)s < %(now)s - make_interval(secs => %(timeout_s)s)

-- name: link_open - this worker listens on a broker
INSERT INTO hub_link (worker, broker, since, seen_at) VALUES (%(worker)s, %(broker)s, %(since)s, %(now)s)
ON CONFLICT (worker, broker, since) DO UPDATE SET seen_at = excluded.seen_at

-- name: link_closed - this worker does not listen on a broker any more
UPDATE hub_link SET until = %(now)s WHERE worker = %(worker)s AND broker = %(broker)s AND until IS NULL
