-- A row is a pair with a side that has too many different counterparts: boilerplate that mining took for a translation.
-- Exact and normalised duplicates need not be left out: what they say, the pair that is kept says too.
with sides as (
    select side, key, other, corpus, line_number
    from {sides}
),
shared as (
    select side, key, count(distinct other) as num_counterparts
    from sides
    group by side, key
    having num_counterparts > 1
),
counted as (
    select corpus, line_number, max(num_counterparts) as num_counterparts
    from sides
    join shared using (side, key)
    group by corpus, line_number
),
decided as (
    select corpus, line_number, {reject_reason} as reject_reason
    from counted as filter_row
)
select
    corpus,
    line_number,
    null::varchar as matched_corpus,
    null::bigint as matched_line_number,
    null::double as similarity,
    reject_reason
from decided
where reject_reason is not null
order by corpus, line_number
