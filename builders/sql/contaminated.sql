-- A row is a kept pair with a side that shares n-grams with a benchmark sentence, and their overlap: the n-grams of
-- both, as a share of those of the shorter one. (`measured` has few rows here: those that may contain a sentence.)
with kept as (
    select *
    from measured
    anti join duplicates on
        duplicates.corpus = measured.corpus
        and duplicates.line_number = measured.line_number
        and duplicates.reject_reason is not null
    where measured.reject_reason is null
),
sides as (
    select corpus, line_number, 'en' as side, without_accents(en_norm) as text, $english_n as n from kept
    union all
    select corpus, line_number, 'xx' as side, without_accents(xx_norm) as text, $foreign_n as n from kept
),
sentences as (
    select *, 'en' as side, $english_n as n from english_ngrams
    union all
    select *, 'xx' as side, $foreign_n as n from foreign_ngrams
),
ngrams as (
    select
        * exclude (sentence, n, is_whole_sentence),
        hash(unnest([substr(sentence, start, n) for start in range(1, length(sentence) - n + 2)])) as ngram
    from sentences
    where not is_whole_sentence
),
-- All n-grams of a benchmark are indexed, so each run of n + stride - 1 shared characters contains a candidate.
candidate_ngrams as (
    select
        corpus,
        line_number,
        side,
        hash(unnest([substr(text, start, n) for start in range(1, length(text) - n + 2, $stride)])) as ngram
    from sides
    where length(text) >= n
),
hits as (
    select distinct
        candidate_ngrams.corpus,
        candidate_ngrams.line_number,
        candidate_ngrams.side,
        ngrams.benchmark,
        ngrams.item,
        ngrams.num_ngrams
    from candidate_ngrams
    join ngrams using (side, ngram)
),
tested as (
    select
        hits.*,
        length(text) - n + 1 as num_tested,
        hash(unnest([substr(text, start, n) for start in range(1, length(text) - n + 2)])) as ngram
    from hits
    join sides using (corpus, line_number, side)
),
compared as (
    select
        tested.corpus,
        tested.line_number,
        tested.side,
        tested.benchmark,
        count(distinct tested.ngram) / least(any_value(tested.num_ngrams), any_value(num_tested)) as overlap
    from tested
    join ngrams using (side, benchmark, item, ngram)
    group by tested.corpus, tested.line_number, tested.side, tested.benchmark, tested.item
    union all
    -- A sentence too short for n-grams counts if a line has it as a whole.
    select corpus, line_number, side, benchmark, 1.0 as overlap
    from sides
    join sentences using (side)
    where is_whole_sentence and contains(text, sentence)
),
closest as (
    select
        corpus,
        line_number,
        max(struct_pack(overlap := least(overlap, 1.0), benchmark := benchmark, side := side)) as best
    from compared
    group by corpus, line_number
),
matched as (
    select corpus, line_number, best.overlap as overlap, best.benchmark as benchmark, best.side as side
    from closest
)
select
    corpus,
    line_number,
    benchmark,
    side,
    overlap,
    {reject_reason} as reject_reason
from matched as filter_row
