-- A row is a band of the signature of a pair of a part: pairs with the same bucket are compared. Sorted by bucket, so that a
-- range of buckets is a few row groups of each part. Pairs with a side shorter than $min_length (or $foreign_min_length),
-- pairs that a filter rejects and rejected duplicates have no signature.
with kept as (
    select
        measured.line_number,
        measured.margin,
        normalize(coalesce(en_cleaned, pairs.en)) as en_text,  -- en_norm of measured is often null
        normalize(coalesce(xx_cleaned, pairs.xx)) as xx_text
    from measured
    join pairs on pairs.line_number = measured.line_number
    anti join duplicates on
        duplicates.corpus = $corpus
        and duplicates.line_number = measured.line_number
        and duplicates.line_number between $first and $last
        and duplicates.reject_reason is not null
    where
        measured.reject_reason is null
        and length(en_text) >= greatest($min_length, $english_n)
        and length(xx_text) >= greatest($foreign_min_length, $foreign_n)
),
with_ngrams as (
    select line_number, margin, pair_ngrams(en_text, xx_text, $english_n, $foreign_n) as ngrams
    from kept
),
-- MinHash: each band orders the n-grams in its own way (hash() of two values would not: it combines their hashes by xor),
-- and pairs with the same first 8 share a bucket. Pairs of similarity s do so in one band with a probability of about
-- s^8, in at least one of 30 bands with 1 - (1 - s^8)^30: 0.995 for 0.8 (0.99 for the shortest texts), 0.11 for 0.5.
bands as (
    select
        hash(band, list_aggregate([hash(xor(ngram, hash(band))) for ngram in ngrams], 'min', 8)) as bucket,
        line_number,
        margin,
        len(ngrams) as num_ngrams
    from with_ngrams, range($num_bands) as bands(band)
),
sorted as (
    from bands
    order by bucket, line_number
)
select bucket, $corpus as corpus, line_number, margin, num_ngrams
from sorted
