-- How the plan stands, by window. `provinces` is an array of codes, or null: all. Which day a window is of is local.

-- name: results - windows of a range of days, oldest first, above one of them
SELECT r.item, r.placement, d.name AS device, p.site, r.day, r.hour, r.result::text AS result, r.required, r.shown,
       r.at_most, r.shown_ms, r.unknown_ms, r.languages, r.judged_at
FROM plan_result r JOIN placement p ON p.id = r.placement JOIN device d ON d.id = p.device
WHERE r.day BETWEEN %(first_day)s AND %(last_day)s
  AND (%(item)s::text IS NULL OR r.item = %(item)s)
  AND (%(device)s::text IS NULL OR d.name = %(device)s)
  AND (%(site)s::text IS NULL OR p.site = %(site)s)
  AND (%(result)s::plan_outcome IS NULL OR r.result = %(result)s)
  AND (%(provinces)s::text[] IS NULL OR p.province_code = ANY (%(provinces)s))
  AND (%(after_day)s::date IS NULL OR (r.day, r.item, r.placement, r.hour)
       > (%(after_day)s::date, %(after_item)s::text, %(after_placement)s::int, %(after_hour)s::smallint))
ORDER BY r.day, r.item, r.placement, r.hour
LIMIT %(limit)s

-- name: summary - how many windows of each line of the plan stand how, over a range of days
SELECT r.item, count(*) AS windows,
       count(*) FILTER (WHERE r.result = 'enough') AS enough,
       count(*) FILTER (WHERE r.result = 'too_little') AS too_little,
       count(*) FILTER (WHERE r.result = 'not_at_all') AS not_at_all,
       count(*) FILTER (WHERE r.result = 'unknown') AS unknown,
       max(r.judged_at) AS judged_at
FROM plan_result r JOIN placement p ON p.id = r.placement JOIN device d ON d.id = p.device
WHERE r.day BETWEEN %(first_day)s AND %(last_day)s
  AND (%(item)s::text IS NULL OR r.item = %(item)s)
  AND (%(device)s::text IS NULL OR d.name = %(device)s)
  AND (%(site)s::text IS NULL OR p.site = %(site)s)
  AND (%(provinces)s::text[] IS NULL OR p.province_code = ANY (%(provinces)s))
GROUP BY r.item
ORDER BY r.item
