-- A row is a side of a pair with its key and what is compared where keys are equal; sorted by bucket, so that a range of
-- keys is a few row groups of each part. Buckets of the English side come first.
with pairs as (
    select {columns}, en_norm_hash, xx_norm_hash
    from {pairs}
),
sides as (
    select ('0x' || left(en_norm_hash::varchar, 4))::integer as bucket, * from pairs
    union all
    select ('0x1' || left(xx_norm_hash::varchar, 4))::integer as bucket, * from pairs
)
select *
from sides
order by bucket
