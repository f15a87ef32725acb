-- A row is a pair that nearly repeats a pair of its language with a better rank, and the best-ranked such pair.
-- Two pairs nearly repeat each other if the n-grams of characters of both their sides together have a Jaccard similarity
-- of at least $min_similarity; pairs with a side shorter than $min_length (or $foreign_min_length) are not compared.
-- Every pair with better-ranked near duplicates is rejected for the best-ranked of them, whether that one is rejected
-- itself or not: so no decision depends on another, nor on the order of work, and the best of a group always stays.
with kept as (
    select
        measured.corpus,
        measured.line_number,
        measured.margin,
        normalize(coalesce(en_cleaned, pairs.en)) as en_norm,
        normalize(coalesce(xx_cleaned, pairs.xx)) as xx_norm
    from measured
    join pairs on pairs.corpus = measured.corpus and pairs.line_number = measured.line_number
    anti join duplicates on
        duplicates.corpus = measured.corpus
        and duplicates.line_number = measured.line_number
        and duplicates.reject_reason is not null
    where
        measured.reject_reason is null
        and length(en_norm) >= greatest($min_length, $english_n)
        and length(xx_norm) >= greatest($foreign_min_length, $foreign_n)
),
-- The rank is that of duplicates.sql: highest margin, then the corpus listed first, then the earliest line.
ranked as (
    select
        row_number() over (
            order by coalesce(margin, '-infinity'::double) desc, list_position($corpora, corpus), line_number, corpus
        ) as rank,
        corpus,
        line_number,
        en_norm,
        xx_norm
    from kept
),
with_ngrams as (
    select
        rank,
        list_distinct(list_concat(
            [hash('en', substr(en_norm, i, $english_n)) for i in range(1, length(en_norm) - $english_n + 2)],
            [hash('xx', substr(xx_norm, i, $foreign_n)) for i in range(1, length(xx_norm) - $foreign_n + 2)]
        )) as ngrams
    from ranked
),
-- MinHash: each band orders the n-grams in its own way (hash() of two values would not: it combines their hashes by xor),
-- and pairs with the same first 8 share a bucket. Pairs of similarity s do so in one band with a probability of about
-- s^8, in at least one of 30 bands with 1 - (1 - s^8)^30: 0.995 for 0.8 (0.99 for the shortest texts), 0.11 for 0.5.
bands as (
    select
        rank,
        len(ngrams) as num_ngrams,
        hash(band, list_aggregate([hash(xor(ngram, hash(band))) for ngram in ngrams], 'min', 8)) as bucket
    from with_ngrams, range(30) as bands(band)
),
shared as (
    select bucket
    from bands
    group by bucket
    having count(*) > 1
),
-- Where thousands of sentences share a pattern, each is compared with the best-ranked 100 of a bucket, not with all.
best_of_bucket as (
    select bucket, rank, num_ngrams
    from bands
    semi join shared using (bucket)
    qualify row_number() over (partition by bucket order by rank) <= 100
),
candidates as (
    select distinct
        best_of_bucket.rank as winner,
        bands.rank as loser
    from bands
    join best_of_bucket on best_of_bucket.bucket = bands.bucket and best_of_bucket.rank < bands.rank
    where least(best_of_bucket.num_ngrams, bands.num_ngrams) / greatest(best_of_bucket.num_ngrams, bands.num_ngrams) >= $min_similarity
),
-- Only the n-grams of candidates are kept in memory: most pairs have none.
compared as (
    select rank, ngrams
    from with_ngrams
    where rank in (select unnest([winner, loser]) from candidates)
),
counted as (
    select
        winner,
        loser,
        len(list_intersect(first.ngrams, second.ngrams)) as num_shared,
        len(first.ngrams) + len(second.ngrams) - num_shared as num_ngrams
    from candidates
    join compared as first on first.rank = winner
    join compared as second on second.rank = loser
),
nearest as (
    select
        loser,
        min(winner) as winner,
        arg_min(num_shared / num_ngrams, winner) as similarity
    from counted
    where num_shared / num_ngrams >= $min_similarity
    group by loser
),
matched as (
    select
        losers.corpus,
        losers.line_number,
        winners.corpus as matched_corpus,
        winners.line_number as matched_line_number,
        similarity
    from nearest
    join ranked as losers on losers.rank = loser
    join ranked as winners on winners.rank = winner
)
select
    corpus,
    line_number,
    matched_corpus,
    matched_line_number,
    similarity,
    {reject_reason} as reject_reason
from matched as filter_row
