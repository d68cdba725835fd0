"""What people with only the ``sqlite3`` shell read: packed or not, readings as rows.

They need the shell's function ``sqlar_uncompress``, which other programs would have to provide. A block is taken
apart as a whole, so what has a condition on ``device`` touches that device's only.
"""

# A cell is the JSON of one value: of numbers, the sum of all differences up to it, with the point put back.
_CELLS = """
SELECT number, name, n, CASE
    WHEN of_number IS NULL THEN NULL
    WHEN scale IS NULL THEN json_quoted
    WHEN scale = 0 THEN CAST(whole AS TEXT)
    ELSE iif(whole < 0, '-', '') || rtrim(printf('%d.%0*d', abs(whole) / power, scale, abs(whole) % power), '0')
         || iif(abs(whole) % power = 0, '0', '')
    END AS cell
FROM (
    SELECT c.id % 512 AS number, c.name, j.key AS n, j.value AS of_number, c.scale,
           CAST(CAST('1e' || c.scale AS REAL) AS INTEGER) AS power,
           CASE j.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE json_quote(j.value) END AS json_quoted,
           sum(iif(c.scale IS NULL, NULL, j.value)) OVER running + c.step * (count(j.value) OVER running - 1) AS whole
    FROM columns c, json_each(sqlar_uncompress(c.data, c.size)) j
    WHERE c.id BETWEEN 512 * b.id AND 512 * b.id + 511 AND c.id % 512 NOT IN (1, 3, 4)
    WINDOW running AS (PARTITION BY c.id ORDER BY j.key)
    ORDER BY c.id
)
"""
_OF_BLOCK = f"""
SELECT json_group_array(json_array(json(ts), json(body))) FROM (
    SELECT ts, json_patch('{{"ts":' || ts || ',"values":' || fields || '}}',
           coalesce(json_extract(b.shapes, '$[' || coalesce(shape, 0) || '][1]'), '{{}}')) AS body
    FROM (
        SELECT max(cell) FILTER (WHERE number = 0) AS ts, max(cell) FILTER (WHERE number = 2) AS shape,
               json_group_object(name, json(cell)) FILTER (WHERE number >= 8 AND cell IS NOT NULL) AS fields
        FROM ({_CELLS}) GROUP BY n ORDER BY n
    )
)
"""  # noqa: S608  all from here
_KEPT_AS_THEY_ARE = """
SELECT json_group_array(json_array(j.value ->> '$.ts', json(j.value)))
FROM columns c, json_each(sqlar_uncompress(c.data, c.size)) j WHERE c.id = 512 * b.id + 3
"""
VIEWS = f"""
CREATE VIEW logged AS
SELECT l.id + b.key AS number, l.heads ->> (3 * b.key) AS device, l.heads ->> (3 * b.key + 1) AS seq,
       b.value ->> '$.ts' AS ts, l.arrived_ms + (l.heads ->> (3 * b.key + 2)) AS arrived_ms, b.value AS body
FROM log l, json_each('[' || replace(l.bodies, char(10), ',') || ']') b;
CREATE VIEW readings AS
SELECT d.name AS device, b.first + j.key AS seq, j.value ->> 0 AS ts,
       strftime('%Y-%m-%dT%H:%M:%fZ', j.value ->> 0, 'unixepoch') AS time, j.value -> 1 AS body
FROM devices d JOIN blocks b ON b.device = d.id,
     json_each(CASE b.shapes WHEN '[]' THEN ({_KEPT_AS_THEY_ARE}) ELSE ({_OF_BLOCK}) END) j
UNION ALL
SELECT d.name, l.seq, l.ts, strftime('%Y-%m-%dT%H:%M:%fZ', l.ts, 'unixepoch'), l.body
FROM logged l JOIN devices d ON d.id = l.device
WHERE l.seq > coalesce((SELECT max(last) FROM blocks WHERE device = l.device), 0);
CREATE VIEW measurements AS
SELECT r.device, r.seq, r.ts, r.time, m.key AS metric, m.value FROM readings r, json_each(r.body, '$.values') m;
"""  # noqa: S608  all from here
