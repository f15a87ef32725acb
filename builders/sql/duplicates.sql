-- A row is a pair that repeats another pair of its language, and the pair that it repeats: of equal pairs that say the
-- same, the one with the fewest sides in capitals is kept, then the one with the highest margin (a missing margin is the
-- lowest), then the corpus listed first, then the earliest line.
with candidates as (
    select
        corpus,
        line_number,
        if($exact_only, en_hash, en_norm_hash) as en_same,
        if($exact_only, xx_hash, xx_norm_hash) as xx_same,
        signs,
        en_hash,
        xx_hash,
        struct_pack(
            num_in_capitals := num_in_capitals,
            loss := -coalesce(margin, '-infinity'::double),
            rank := list_position($corpora, corpus),
            line_number := line_number,
            corpus := corpus,
            en_hash := en_hash,
            xx_hash := xx_hash
        ) as preference
    from {pairs}
),
winners as (
    select
        en_same,
        xx_same,
        signs,
        min(preference) as winner
    from candidates
    group by all
    having count(*) > 1
),
matched as (
    select
        candidates.corpus,
        candidates.line_number,
        winner.corpus as matched_corpus,
        winner.line_number as matched_line_number,
        en_hash = winner.en_hash and xx_hash = winner.xx_hash as is_exact
    from candidates
    join winners using (en_same, xx_same, signs)
    where (candidates.corpus, candidates.line_number) <> (winner.corpus, winner.line_number)
)
select
    corpus,
    line_number,
    matched_corpus,
    matched_line_number,
    null::double as similarity,
    {reject_reason} as reject_reason
from matched as filter_row
order by corpus, line_number
