-- A row is a pair that says what another pair of its language already says, and the pair that says it: of equal
-- pairs the highest margin wins, none at all loses to any, then the corpus listed first, then the earliest line.
with candidates as (
    select
        corpus,
        line,
        if($exact_only, en_text, en_key) as en_same,
        if($exact_only, xx_text, xx_key) as xx_same,
        en_text,
        xx_text,
        struct_pack(
            loss := -coalesce(margin, '-infinity'::double),
            rank := list_position($corpora, corpus),
            line := line,
            corpus := corpus,
            en_text := en_text,
            xx_text := xx_text
        ) as place
    from screened
    where rejected_by is null
),
winners as (
    select
        en_same,
        xx_same,
        min(place) as winner
    from candidates
    group by all
    having count(*) > 1
),
charged as (
    select
        candidates.corpus,
        candidates.line,
        winner.corpus as matched_corpus,
        winner.line as matched_line,
        en_text = winner.en_text and xx_text = winner.xx_text as exact
    from candidates
    join winners using (en_same, xx_same)
    where (candidates.corpus, candidates.line) <> (winner.corpus, winner.line)
)
select
    corpus,
    line,
    matched_corpus,
    matched_line,
    null::double as similarity,
    {verdict} as rejected_by
from charged
