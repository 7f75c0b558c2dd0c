-- name: id - the number of a content as it was seen
SELECT id FROM shown_content
WHERE content_ref = %(ref)s AND content_sha256 IS NOT DISTINCT FROM decode(%(sha256)s, 'hex')

-- name: ensure - a row for a content that is seen for the first time; its number comes back if it is new
INSERT INTO shown_content (content_ref, content_sha256) VALUES (%(ref)s, decode(%(sha256)s, 'hex'))
ON CONFLICT (content_ref, content_sha256) DO NOTHING RETURNING id

-- name: agree - how many of these contents have the number that a worker remembers
SELECT count(*) FROM unnest(%(ids)s::int[], %(refs)s::text[], %(sha256s)s::text[]) AS given (id, ref, sha256)
JOIN shown_content c ON c.id = given.id AND c.content_ref = given.ref
    AND c.content_sha256 IS NOT DISTINCT FROM decode(given.sha256, 'hex')
