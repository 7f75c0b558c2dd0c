-- name: audit - the ledger of each stream beside what is counted in the tables; each table is read once
WITH stored (stream, seq, kind) AS (
    SELECT stream, seq, 'play' FROM play WHERE %(device)s::int IS NULL OR device = %(device)s
    UNION ALL
    SELECT stream, seq, 'screen' FROM screen WHERE %(device)s::int IS NULL OR device = %(device)s
    UNION ALL
    SELECT stream, seq, 'interaction' FROM interaction WHERE %(device)s::int IS NULL OR device = %(device)s
    UNION ALL
    SELECT stream, seq, 'health' FROM health WHERE %(device)s::int IS NULL OR device = %(device)s
    UNION ALL
    SELECT stream, seq, 'fault' FROM fault WHERE %(device)s::int IS NULL OR device = %(device)s
    UNION ALL
    SELECT stream, seq, 'lifecycle' FROM lifecycle WHERE %(device)s::int IS NULL OR device = %(device)s
    UNION ALL
    SELECT stream, seq, 'loss' FROM loss WHERE %(device)s::int IS NULL OR device = %(device)s
    UNION ALL
    SELECT stream, seq, 'rejected' FROM rejected
    WHERE seq IS NOT NULL AND (%(device)s::int IS NULL OR device = %(device)s)
), marked AS (
    -- One sort, which may spill to disk: memory stays bounded whatever the tables hold.
    SELECT stream, seq, kind, lag(seq) OVER by_seq AS before FROM stored WINDOW by_seq AS (PARTITION BY stream ORDER BY seq)
), runs AS (
    -- Numbers that follow each other without a gap share `run`.
    SELECT stream, seq, kind, seq = before AS doubled,
           count(*) FILTER (WHERE before IS NULL OR seq > before + 1) OVER (PARTITION BY stream ORDER BY seq) AS run
    FROM marked
), spans AS (
    SELECT stream, run, int8range(min(seq), max(seq), '[]') AS span, count(*) FILTER (WHERE doubled) AS doubled,
           range_agg(int8range(seq, seq, '[]')) FILTER (WHERE doubled) AS doubled_at,
           count(*) FILTER (WHERE kind = 'play') AS play,
           count(*) FILTER (WHERE kind = 'screen') AS screen,
           count(*) FILTER (WHERE kind = 'interaction') AS interaction,
           count(*) FILTER (WHERE kind = 'health') AS health,
           count(*) FILTER (WHERE kind = 'fault') AS fault,
           count(*) FILTER (WHERE kind = 'lifecycle') AS lifecycle,
           count(*) FILTER (WHERE kind = 'loss') AS loss,
           count(*) FILTER (WHERE kind = 'rejected') AS rejected
    FROM runs GROUP BY stream, run
), counted AS (
    SELECT stream, range_agg(span) AS numbers, sum(doubled)::bigint AS doubled,
           coalesce(range_agg(doubled_at), '{}') AS doubled_at,
           jsonb_strip_nulls(jsonb_build_object(
               'play', nullif(sum(play), 0), 'screen', nullif(sum(screen), 0),
               'interaction', nullif(sum(interaction), 0), 'health', nullif(sum(health), 0),
               'fault', nullif(sum(fault), 0), 'lifecycle', nullif(sum(lifecycle), 0), 'loss', nullif(sum(loss), 0)
           )) AS rows,
           sum(rejected)::bigint AS rejected
    FROM spans GROUP BY stream
), gone AS (
    SELECT stream, sum(events)::bigint AS events FROM retired GROUP BY stream
), known AS (
    SELECT s.id, d.name AS device, s.name AS stream, s.committed, s.lost
    FROM stream s JOIN device d ON d.id = s.device WHERE %(device)s::int IS NULL OR s.device = %(device)s
)
SELECT k.device, coalesce(k.stream::text, 'id ' || c.stream) AS stream,
       coalesce(k.committed, '{}')::text AS committed, coalesce(k.lost, '{}')::text AS lost,
       coalesce(c.numbers, '{}')::text AS numbers, coalesce(c.doubled, 0) AS doubled,
       coalesce(c.doubled_at, '{}')::text AS doubled_at, coalesce(c.rows, '{}') AS rows,
       coalesce(c.rejected, 0) AS rejected, coalesce(g.events, 0) AS retired
FROM known k FULL JOIN counted c ON c.stream = k.id LEFT JOIN gone g ON g.stream = coalesce(k.id, c.stream)
ORDER BY k.device NULLS FIRST, k.id, c.stream

-- name: unnumbered - messages that are kept though not even their numbers could be read
SELECT count(*) AS messages FROM rejected WHERE seq IS NULL AND (%(device)s::int IS NULL OR device = %(device)s)

-- name: device - the id of a device
SELECT id FROM device WHERE name = %(name)s
