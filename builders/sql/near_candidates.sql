-- A row is a pair and another one that it has to be compared with, as they share a bucket of a range: one row for each of
-- the two. Sorted by the first, so that the rows of a part are a few row groups of each range.
with bands as (
    select
        bucket,
        num_ngrams,
        -- The rank is that of duplicates.sql: highest margin, then the corpus listed first, then the earliest line.
        struct_pack(
            loss := -coalesce(margin, '-infinity'::double),
            rank := list_position($corpora, corpus),
            line_number := line_number,
            corpus := corpus
        ) as place
    from signatures
    where bucket between $first_bucket::ubigint and $last_bucket::ubigint
),
shared as (
    select bucket
    from bands
    group by bucket
    having count(*) > 1
),
-- Where thousands of sentences share a pattern, each is compared with the best-ranked 100 of a bucket, not with all.
best_of_bucket as (
    select *
    from bands
    semi join shared using (bucket)
    qualify row_number() over (partition by bucket order by place) <= 100
),
candidates as (
    select distinct
        best_of_bucket.place as winner,
        bands.place as loser
    from bands
    join best_of_bucket on best_of_bucket.bucket = bands.bucket and best_of_bucket.place < bands.place
    where least(best_of_bucket.num_ngrams, bands.num_ngrams) / greatest(best_of_bucket.num_ngrams, bands.num_ngrams) >= $min_similarity
),
both_ways as (
    select true as is_better, winner as pair, loser as other from candidates
    union all
    select false as is_better, loser as pair, winner as other from candidates
)
select
    is_better,
    pair.corpus as corpus,
    pair.line_number as line_number,
    other.corpus as other_corpus,
    other.line_number as other_line_number,
    other.loss as other_loss
from both_ways
order by is_better, pair.corpus, pair.line_number, other.corpus, other.line_number
