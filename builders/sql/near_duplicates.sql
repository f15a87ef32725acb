-- A row is a kept pair that says nearly what a better-placed pair of its language says, and the best-placed such pair.
-- Two pairs are near if their n-grams of characters, those of both sides together, have a Jaccard similarity of
-- $similar and more; a pair with a side shorter than $shortest (or $foreign_shortest) is near to none.
-- Every pair that has better-placed neighbours is charged to the best-placed of them, be that one charged itself or not:
-- so no charge depends on another, nor on the order of work, and the best-placed of a group always stays.
with kept as (
    select screened.*
    from screened
    anti join duplicates on
        duplicates.corpus = screened.corpus
        and duplicates.line = screened.line
        and duplicates.rejected_by is not null
    where
        screened.rejected_by is null
        and length(en_said) >= greatest($shortest, $english_n)
        and length(xx_said) >= greatest($foreign_shortest, $foreign_n)
),
-- As among duplicates: the highest margin wins, none at all loses to any, then the corpus listed first, then the line.
placed as (
    select
        row_number() over (
            order by coalesce(margin, '-infinity'::double) desc, list_position($corpora, corpus), line, corpus
        ) as place,
        corpus,
        line,
        en_said,
        xx_said
    from kept
),
described as (
    select
        place,
        list_distinct(list_concat(
            [hash('en', substr(en_said, i, $english_n)) for i in range(1, length(en_said) - $english_n + 2)],
            [hash('xx', substr(xx_said, i, $foreign_n)) for i in range(1, length(xx_said) - $foreign_n + 2)]
        )) as grams
    from placed
),
-- Each band shuffles the n-grams in its own way (hash() of two values would not: it is their hashes, combined by xor),
-- and pairs with the same first 8 fall into one bucket. Pairs of similarity s do so in a band with a probability of
-- about s^8, and in one band of 30 and more with 1 - (1 - s^8)^30: 0.995 for 0.8 (0.99 for the shortest), 0.11 for 0.5.
bands as (
    select
        place,
        len(grams) as num_grams,
        hash(band, list_aggregate([hash(xor(gram, hash(band))) for gram in grams], 'min', 8)) as bucket
    from described, range(30) as bands(band)
),
shared as (
    select bucket
    from bands
    group by bucket
    having count(*) > 1
),
-- Where a thousand sentences share a mould, each is compared with the best-placed 100 of a bucket and not with all.
leaders as (
    select bucket, place, num_grams
    from bands
    semi join shared using (bucket)
    qualify row_number() over (partition by bucket order by place) <= 100
),
candidates as (
    select distinct
        leaders.place as winner,
        bands.place as loser
    from bands
    join leaders on leaders.bucket = bands.bucket and leaders.place < bands.place
    where least(leaders.num_grams, bands.num_grams) / greatest(leaders.num_grams, bands.num_grams) >= $similar
),
-- Most pairs have no candidate, and their n-grams need no place in memory.
compared as (
    select place, grams
    from described
    where place in (select unnest([winner, loser]) from candidates)
),
counted as (
    select
        winner,
        loser,
        len(list_intersect(first.grams, second.grams)) as num_shared,
        len(first.grams) + len(second.grams) - num_shared as num_grams
    from candidates
    join compared as first on first.place = winner
    join compared as second on second.place = loser
),
nearest as (
    select
        loser,
        min(winner) as winner,
        arg_min(num_shared / num_grams, winner) as similarity
    from counted
    where num_shared / num_grams >= $similar
    group by loser
),
charged as (
    select
        losers.corpus,
        losers.line,
        winners.corpus as matched_corpus,
        winners.line as matched_line,
        similarity
    from nearest
    join placed as losers on losers.place = loser
    join placed as winners on winners.place = winner
)
select
    corpus,
    line,
    matched_corpus,
    matched_line,
    similarity,
    {verdict} as rejected_by
from charged
