-- A row is a pair that no filter so far rejects, as it is judged by its words or by a model; sorted by the digest of the
-- English side, so that a sample of a language is a few row groups of each part.
with decided as (
    {decisions}
),
kept as (
    select line_number
    from decided
    where reject_reason is null
)
select
    ('0x' || left(replace(measured.en_norm_hash::varchar, '-', ''), 15))::bigint as digest,
    measured.corpus,
    measured.line_number,
    coalesce(measured.en_cleaned, pairs.en) as en,
    coalesce(measured.xx_cleaned, pairs.xx) as xx
from measured
join pairs using (line_number)
semi join kept using (line_number)
order by digest, line_number
