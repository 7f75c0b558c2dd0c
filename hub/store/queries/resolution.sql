-- name: hold - keep the catalogue from changing until the transaction ends; those who only hold it do not disturb each other
SELECT pg_advisory_xact_lock_shared(hashtext('ttdn-hub catalogue'))

-- name: change - be the only one who changes the catalogue, or resolves or records by it, until the transaction ends
SELECT pg_advisory_xact_lock(hashtext('ttdn-hub catalogue'))

-- name: shown - contents as they were seen, of these numbers
SELECT id, content_ref, encode(content_sha256, 'hex') FROM shown_content WHERE id = ANY(%(ids)s::int[])

-- name: touched - numbers of the contents as they were seen that any version of these codes touches by name or bytes
SELECT s.id FROM shown_content s JOIN content_ref r ON r.ref = s.content_ref WHERE r.content = ANY(%(codes)s)
UNION
SELECT s.id FROM shown_content s JOIN content_version v ON v.media_sha256 = s.content_sha256
WHERE v.content = ANY(%(codes)s)
ORDER BY 1

-- name: everything - numbers of all contents as they were seen
SELECT id FROM shown_content ORDER BY id

-- name: suspects - all versions of contents, not deleted, that touch these names or bytes by one of them
SELECT v.content, v.version, array_agg(r.ref), encode(v.media_sha256, 'hex'), v.approval_no, v.approval_body,
       v.approval_date, v.valid_from, v.valid_until, v.withdrawn_on
FROM content_version v LEFT JOIN content_ref r ON r.content = v.content AND r.version = v.version
WHERE v.content IN (
    SELECT t.content FROM content_ref t WHERE t.ref = ANY(%(refs)s::text[])
    UNION
    SELECT t.content FROM content_version t
    WHERE t.media_sha256 = ANY(SELECT decode(hex, 'hex') FROM unnest(%(sha256s)s::text[]) AS given (hex))
) AND EXISTS (SELECT FROM content c WHERE c.code = v.content AND c.deleted_at IS NULL)
GROUP BY v.content, v.version

-- name: resolved - what these contents are by now, in order
SELECT content, first_day, last_day, verdict::text, code, version FROM resolved
WHERE content = ANY(%(ids)s::int[]) ORDER BY content, first_day

-- name: forget - stretches of contents that have others now
DELETE FROM resolved WHERE content = ANY(%(ids)s::int[])

-- name: put - stretches of contents
INSERT INTO resolved (content, first_day, last_day, verdict, code, version, resolved_at)
SELECT content, first_day, last_day, verdict, code, version, %(at)s
FROM unnest(%(content)s::int[], %(first_day)s::date[], %(last_day)s::date[], %(verdict)s::play_verdict[], %(code)s::text[],
            %(version)s::int[]) AS given (content, first_day, last_day, verdict, code, version)

-- name: note - what a change made of days that had another verdict
INSERT INTO resolution_change (change, content, first_day, last_day, old_verdict, old_code, old_version,
                               new_verdict, new_code, new_version)
SELECT %(change)s, * FROM unnest(
    %(content)s::int[], %(first_day)s::date[], %(last_day)s::date[],
    %(old_verdict)s::play_verdict[], %(old_code)s::text[], %(old_version)s::int[],
    %(new_verdict)s::play_verdict[], %(new_code)s::text[], %(new_version)s::int[])

-- name: mark_days - days that are recorded by another verdict are to be recorded again. Returns how many
WITH marked AS (
    INSERT INTO day_dirty (placement, day)
    SELECT DISTINCT d.placement, d.day
    FROM unnest(%(content)s::int[], %(first_day)s::date[], %(last_day)s::date[]) AS given (content, first_day, last_day)
    JOIN play_day d ON d.content = given.content AND d.day BETWEEN given.first_day AND given.last_day
    RETURNING 1
)
SELECT count(*) FROM marked
