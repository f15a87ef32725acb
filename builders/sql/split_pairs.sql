-- A row is not written: this is the part that examples.sql and split_counts.sql share, the kept pairs of a range of ids
-- with their split.
select
    *,
    if(
        sha256(concat($seed, en_norm_hash::varchar)) < $validation_below and en_norm_hash not in (from ambiguous),
        'validation',
        'train'
    ) as split
from bitext
where id >= $first_id and id < $after_id
