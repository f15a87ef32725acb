-- A row is an English sentence of the validation split's share whose translation other English sentences have too: it is
-- always in train, or that translation would be in both splits.
with candidates as (
    select en_norm_hash, xx_norm_hash
    from {pairs}
    where sha256(concat($seed, en_norm_hash::varchar)) < $validation_below
),
shared as (
    select xx_norm_hash
    from {pairs}
    where xx_norm_hash in (select xx_norm_hash from candidates)
    group by xx_norm_hash
    having min(en_norm_hash) <> max(en_norm_hash)
)
select distinct en_norm_hash
from candidates
where xx_norm_hash in (from shared)
order by en_norm_hash
