-- name: raise_play_hour - add to the counts of plays
INSERT INTO play_hour AS t (placement, bucket, content, grade, plays, slices, shown_ms, failed, ended)
SELECT placement, to_timestamp(hour * 3600), content, grade, plays, slices, shown_ms, failed, ended
FROM unnest(%(placement)s::int[], %(hour)s::bigint[], %(content)s::int[], %(grade)s::play_grade[],
            %(plays)s::bigint[], %(slices)s::bigint[], %(shown_ms)s::bigint[], %(failed)s::bigint[],
            %(ended)s::bigint[])
     AS given (placement, hour, content, grade, plays, slices, shown_ms, failed, ended)
ON CONFLICT (placement, bucket, content, grade) DO UPDATE
SET plays = t.plays + excluded.plays, slices = t.slices + excluded.slices, shown_ms = t.shown_ms + excluded.shown_ms,
    failed = t.failed + excluded.failed, ended = t.ended + excluded.ended

-- name: raise_interaction_hour - add to the counts of interactions
INSERT INTO interaction_hour AS t
    (placement, bucket, action, target, language, interactions, duration_ms, ratings, rating_sum)
SELECT placement, to_timestamp(hour * 3600), action, target, language, interactions, duration_ms, ratings,
       rating_sum
FROM unnest(%(placement)s::int[], %(hour)s::bigint[], %(action)s::interaction_action[],
            %(target)s::text[], %(language)s::text[], %(interactions)s::bigint[], %(duration_ms)s::bigint[],
            %(ratings)s::bigint[], %(rating_sum)s::bigint[])
     AS given (placement, hour, action, target, language, interactions, duration_ms, ratings, rating_sum)
ON CONFLICT (placement, bucket, action, target, language) DO UPDATE
SET interactions = t.interactions + excluded.interactions, duration_ms = t.duration_ms + excluded.duration_ms,
    ratings = t.ratings + excluded.ratings, rating_sum = t.rating_sum + excluded.rating_sum

-- name: raise_health_hour - add to the sums of health samples
INSERT INTO health_hour AS t
    (placement, bucket, samples, temperatures, temperature_sum_dc, undervoltage, queue_sum, queue_oldest_sum_s,
     rtts, rtt_sum_ms, signals, signal_sum_dbm)
SELECT placement, to_timestamp(hour * 3600), samples, temperatures, temperature_sum_dc, undervoltage, queue_sum,
       queue_oldest_sum_s, rtts, rtt_sum_ms, signals, signal_sum_dbm
FROM unnest(%(placement)s::int[], %(hour)s::bigint[], %(samples)s::bigint[], %(temperatures)s::bigint[],
            %(temperature_sum_dc)s::bigint[], %(undervoltage)s::bigint[], %(queue_sum)s::bigint[],
            %(queue_oldest_sum_s)s::bigint[], %(rtts)s::bigint[], %(rtt_sum_ms)s::bigint[],
            %(signals)s::bigint[], %(signal_sum_dbm)s::bigint[])
     AS given (placement, hour, samples, temperatures, temperature_sum_dc, undervoltage, queue_sum,
         queue_oldest_sum_s, rtts, rtt_sum_ms, signals, signal_sum_dbm)
ON CONFLICT (placement, bucket) DO UPDATE
SET samples = t.samples + excluded.samples, temperatures = t.temperatures + excluded.temperatures,
    temperature_sum_dc = t.temperature_sum_dc + excluded.temperature_sum_dc,
    undervoltage = t.undervoltage + excluded.undervoltage, queue_sum = t.queue_sum + excluded.queue_sum,
    queue_oldest_sum_s = t.queue_oldest_sum_s + excluded.queue_oldest_sum_s,
    rtts = t.rtts + excluded.rtts, rtt_sum_ms = t.rtt_sum_ms + excluded.rtt_sum_ms,
    signals = t.signals + excluded.signals, signal_sum_dbm = t.signal_sum_dbm + excluded.signal_sum_dbm

-- name: raise_fault_hour - add to the counts of faults
INSERT INTO fault_hour AS t (placement, bucket, code, component, faults)
SELECT placement, to_timestamp(hour * 3600), code, component, faults
FROM unnest(%(placement)s::int[], %(hour)s::bigint[], %(code)s::text[], %(component)s::text[],
            %(faults)s::bigint[])
     AS given (placement, hour, code, component, faults)
ON CONFLICT (placement, bucket, code, component) DO UPDATE SET faults = t.faults + excluded.faults

-- name: raise_event_hour - add to the counts of events of any kind
INSERT INTO event_hour AS t (placement, bucket, kind, events)
SELECT placement, to_timestamp(hour * 3600), kind, events
FROM unnest(%(placement)s::int[], %(hour)s::bigint[], %(kind)s::event_kind[], %(events)s::bigint[])
     AS given (placement, hour, kind, events)
ON CONFLICT (placement, bucket, kind) DO UPDATE SET events = t.events + excluded.events
