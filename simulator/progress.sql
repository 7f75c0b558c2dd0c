-- name: progress
-- How the border is right now: devices with an open connection, rows of all events, and of the plays of the last half
-- minute (of devices that were connected throughout) how long a change took until it was committed, ms; open incidents.
SELECT (SELECT count(DISTINCT device) FROM presence WHERE until IS NULL),
       (SELECT count(*) FROM play) + (SELECT count(*) FROM screen) + (SELECT count(*) FROM interaction)
       + (SELECT count(*) FROM health) + (SELECT count(*) FROM fault) + (SELECT count(*) FROM lifecycle)
       + (SELECT count(*) FROM loss),
       (SELECT percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (
            ORDER BY extract(epoch FROM pg_xact_commit_timestamp(p.xmin) - p.time) * 1000)::float8[]
        FROM play p WHERE p.time > now() - interval '30 s' AND p.device IN (
            SELECT device FROM presence WHERE until IS NULL AND since < now() - interval '32 s')),
       (SELECT count(*) FROM incident WHERE closed_at IS NULL)
