-- Exact figures of visitors, and published ones. `provinces` is an array of codes, or null: all, and what stands in none.
-- Visits belong to the place where the device stood when they began. A session that was moved leaves sums of zero behind.

-- name: by_site - sums over local days, by information point; null: nobody has said where the device stood
SELECT p.site, sum(v.sessions)::bigint AS sessions, sum(v.page_views)::bigint AS page_views,
       sum(v.duration_ms)::bigint AS duration_ms, sum(v.feedbacks)::bigint AS feedbacks,
       sum(v.feedback_sum)::bigint AS feedback_sum
FROM visit_hour v JOIN placement p ON p.id = v.placement
WHERE v.bucket >= begin_of(%(first)s) AND v.bucket < begin_of(%(last)s::date + 1)
  AND (%(site)s::text IS NULL OR p.site = %(site)s)
  AND (%(provinces)s::text[] IS NULL OR p.province_code = ANY (%(provinces)s))
GROUP BY 1 HAVING sum(v.sessions) <> 0 OR sum(v.page_views) <> 0 OR sum(v.feedbacks) <> 0
ORDER BY 1

-- name: by_language - sums over local days, by language; und: none was chosen
SELECT v.language, sum(v.sessions)::bigint AS sessions, sum(v.page_views)::bigint AS page_views,
       sum(v.duration_ms)::bigint AS duration_ms, sum(v.feedbacks)::bigint AS feedbacks,
       sum(v.feedback_sum)::bigint AS feedback_sum
FROM visit_hour v JOIN placement p ON p.id = v.placement
WHERE v.bucket >= begin_of(%(first)s) AND v.bucket < begin_of(%(last)s::date + 1)
  AND (%(site)s::text IS NULL OR p.site = %(site)s)
  AND (%(provinces)s::text[] IS NULL OR p.province_code = ANY (%(provinces)s))
GROUP BY 1 HAVING sum(v.sessions) <> 0 OR sum(v.page_views) <> 0 OR sum(v.feedbacks) <> 0
ORDER BY 1

-- name: by_topic - sums over local days, by what the catalogue says of that day's content; null: it says nothing, or the
-- content is not known. The catalogue is asked once a content and day.
WITH shown AS (
    SELECT v.content, local_day(v.bucket) AS day, sum(v.sessions) AS sessions, sum(v.page_views) AS page_views,
           sum(v.duration_ms) AS duration_ms, sum(v.feedbacks) AS feedbacks, sum(v.feedback_sum) AS feedback_sum
    FROM visit_hour v JOIN placement p ON p.id = v.placement
    WHERE v.bucket >= begin_of(%(first)s) AND v.bucket < begin_of(%(last)s::date + 1)
      AND (%(site)s::text IS NULL OR p.site = %(site)s)
      AND (%(provinces)s::text[] IS NULL OR p.province_code = ANY (%(provinces)s))
    GROUP BY 1, 2
)
SELECT c.topic, sum(s.sessions)::bigint AS sessions, sum(s.page_views)::bigint AS page_views,
       sum(s.duration_ms)::bigint AS duration_ms, sum(s.feedbacks)::bigint AS feedbacks,
       sum(s.feedback_sum)::bigint AS feedback_sum
FROM shown s
LEFT JOIN resolved r ON r.content = s.content AND s.day BETWEEN r.first_day AND r.last_day
LEFT JOIN content_version c ON c.content = r.code AND c.version = r.version
GROUP BY 1 HAVING sum(s.sessions) <> 0 OR sum(s.page_views) <> 0 OR sum(s.feedbacks) <> 0
ORDER BY 1

-- name: by_hour_of_week - sums over local days, by weekday (1 is Monday) and hour, both local
SELECT extract(isodow FROM v.bucket AT TIME ZONE INTERVAL '7 hours')::int AS weekday,
       extract(hour FROM v.bucket AT TIME ZONE INTERVAL '7 hours')::int AS hour,
       sum(v.sessions)::bigint AS sessions, sum(v.page_views)::bigint AS page_views,
       sum(v.duration_ms)::bigint AS duration_ms, sum(v.feedbacks)::bigint AS feedbacks,
       sum(v.feedback_sum)::bigint AS feedback_sum
FROM visit_hour v JOIN placement p ON p.id = v.placement
WHERE v.bucket >= begin_of(%(first)s) AND v.bucket < begin_of(%(last)s::date + 1)
  AND (%(site)s::text IS NULL OR p.site = %(site)s)
  AND (%(provinces)s::text[] IS NULL OR p.province_code = ANY (%(provinces)s))
GROUP BY 1, 2 HAVING sum(v.sessions) <> 0 OR sum(v.page_views) <> 0 OR sum(v.feedbacks) <> 0
ORDER BY 1, 2

-- name: published - what was published, oldest first, above a place in that order
SELECT month, site, province_code, language, sessions, flag, published_at
FROM published_visitors
WHERE (%(first)s::date IS NULL OR month >= %(first)s)
  AND (%(last)s::date IS NULL OR month <= %(last)s)
  AND (%(site)s::text IS NULL OR site = %(site)s)
  AND (%(provinces)s::text[] IS NULL OR province_code = ANY (%(provinces)s))
  AND (%(after_month)s::date IS NULL OR (month, site, language)
       > (%(after_month)s::date, %(after_site)s::text, %(after_language)s::text))
ORDER BY month, site, language
LIMIT %(limit)s
