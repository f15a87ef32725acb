-- A row is a pair of a part that nearly repeats a pair of its language with a better rank, and the best-ranked such pair.
-- Two pairs nearly repeat each other if the n-grams of characters of both their sides together have a Jaccard similarity
-- of at least $min_similarity. Every pair with better-ranked near duplicates is rejected for the best-ranked of them,
-- whether that one is rejected itself or not: so no decision depends on another, nor on the order of work, and the best
-- of a group always stays.
with candidates as (
    select distinct line_number, other_corpus, other_line_number, other_loss
    from near_candidates
    where not is_better and corpus = $corpus and line_number between $first and $last
),
own as (
    select
        measured.line_number,
        pair_ngrams(
            normalize(coalesce(en_cleaned, pairs.en)), normalize(coalesce(xx_cleaned, pairs.xx)), $english_n, $foreign_n
        ) as ngrams
    from measured
    join pairs on pairs.line_number = measured.line_number
    where measured.line_number in (select line_number from candidates)
),
better as (
    select corpus, line_number, pair_ngrams(en_norm, xx_norm, $english_n, $foreign_n) as ngrams
    from near_texts
    where for_corpus = $corpus and for_part = $part
),
compared as (
    select
        candidates.line_number,
        struct_pack(
            loss := other_loss,
            rank := list_position($corpora, other_corpus),
            line_number := other_line_number,
            corpus := other_corpus
        ) as winner,
        len(list_intersect(own.ngrams, better.ngrams)) as num_shared,
        num_shared / (len(own.ngrams) + len(better.ngrams) - num_shared) as similarity
    from candidates
    join own on own.line_number = candidates.line_number
    join better on better.corpus = other_corpus and better.line_number = other_line_number
),
nearest as (
    select
        line_number,
        min(winner) as winner,
        arg_min(similarity, winner) as similarity
    from compared
    where similarity >= $min_similarity
    group by line_number
),
matched as (
    select
        $corpus as corpus,
        line_number,
        winner.corpus as matched_corpus,
        winner.line_number as matched_line_number,
        similarity
    from nearest
)
select
    corpus,
    line_number,
    matched_corpus,
    matched_line_number,
    similarity,
    {reject_reason} as reject_reason
from matched as filter_row
order by line_number
