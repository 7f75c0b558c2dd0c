-- name: version - TimescaleDB's version in this database; no row if it is plain PostgreSQL
SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'

-- name: license - whether TimescaleDB may compress: the community licence is called timescale
SELECT current_setting('timescaledb.license', true)

-- name: hypertables - which of our tables are hypertables, and whether they compress
SELECT hypertable_name, compression_enabled FROM timescaledb_information.hypertables WHERE hypertable_schema = 'hub'

-- name: make_hypertable - cut a table into chunks by time; what is in it goes along
SELECT create_hypertable(%(table)s::regclass, 'time', chunk_time_interval => make_interval(days => %(days)s),
                         create_default_indexes => false, migrate_data => true)

-- name: compression - how chunks are compressed: readers filter by placement; numbers in order cost nothing
ALTER TABLE play SET (timescaledb.compress, timescaledb.compress_segmentby = 'placement',
    timescaledb.compress_orderby = 'stream, seq, time');
ALTER TABLE screen SET (timescaledb.compress, timescaledb.compress_segmentby = 'placement',
    timescaledb.compress_orderby = 'stream, seq, time');
ALTER TABLE interaction SET (timescaledb.compress, timescaledb.compress_segmentby = 'placement',
    timescaledb.compress_orderby = 'stream, seq, time');
ALTER TABLE health SET (timescaledb.compress, timescaledb.compress_segmentby = 'placement',
    timescaledb.compress_orderby = 'stream, seq, time');
ALTER TABLE fault SET (timescaledb.compress, timescaledb.compress_segmentby = 'placement',
    timescaledb.compress_orderby = 'stream, seq, time');
ALTER TABLE lifecycle SET (timescaledb.compress, timescaledb.compress_segmentby = 'placement',
    timescaledb.compress_orderby = 'stream, seq, time');
ALTER TABLE loss SET (timescaledb.compress, timescaledb.compress_segmentby = 'placement',
    timescaledb.compress_orderby = 'stream, seq, time')

-- name: policy - after how many days a table's chunks are compressed now; null if never
SELECT extract(day FROM (config ->> 'compress_after')::interval)::int FROM timescaledb_information.jobs
WHERE proc_name = 'policy_compression' AND hypertable_schema = 'hub' AND hypertable_name = %(table)s

-- name: drop_policy - compress no more by itself
SELECT remove_compression_policy(%(table)s::regclass, if_exists => true)

-- name: set_policy - compress chunks that are older
SELECT add_compression_policy(%(table)s::regclass, make_interval(days => %(days)s))

-- name: old_chunks - chunks that end before a moment, oldest first
SELECT range_start, range_end FROM timescaledb_information.chunks
WHERE hypertable_schema = 'hub' AND hypertable_name = %(table)s AND range_end <= %(before)s ORDER BY range_end

-- name: drop_chunk - drop the chunk of this span and no other: one may have come into being before it
SELECT count(*) FROM drop_chunks(%(table)s::regclass, older_than => %(before)s::timestamptz,
                                 newer_than => %(since)s::timestamptz)
