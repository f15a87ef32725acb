-- A row is a kept pair with a side that says what a sentence of an evaluation set says, and the overlap of the two: the
-- n-grams they share, of those of the shorter one.
with kept as (
    select *
    from screened
    anti join duplicates on
        duplicates.corpus = screened.corpus
        and duplicates.line = screened.line
        and duplicates.rejected_by is not null
    where screened.rejected_by is null
),
sides as (
    select corpus, line, 'en' as side, en_said as text, $english_n as n from kept
    union all
    select corpus, line, 'xx' as side, xx_said as text, $foreign_n as n from kept
),
grams as (
    select *, 'en' as side from english_grams
    union all
    select *, 'xx' as side from foreign_grams
),
-- Every n-gram of a set is known, so a run of n + stride - 1 characters holds one of these.
probes as (
    select
        corpus,
        line,
        side,
        hash(unnest([substr(text, start, n) for start in range(1, length(text) - n + 2, $stride)])) as gram,
        false as whole
    from sides
    where length(text) >= n
    union all
    select corpus, line, side, hash(text) as gram, true as whole
    from sides
),
hits as (
    select distinct
        probes.corpus,
        probes.line,
        probes.side,
        grams.set_name,
        grams.item,
        grams.num_grams,
        grams.whole
    from probes
    join grams using (side, gram, whole)
),
tested as (
    select
        hits.* exclude (num_grams),
        num_grams,
        length(text) - n + 1 as num_tested,
        hash(unnest([substr(text, start, n) for start in range(1, length(text) - n + 2)])) as gram
    from hits
    join sides using (corpus, line, side)
    where not whole
),
compared as (
    select
        tested.corpus,
        tested.line,
        tested.side,
        tested.set_name,
        count(distinct tested.gram) / least(any_value(tested.num_grams), any_value(num_tested)) as overlap
    from tested
    join grams using (side, set_name, item, gram)
    group by tested.corpus, tested.line, tested.side, tested.set_name, tested.item
    union all
    select corpus, line, side, set_name, 1.0 as overlap
    from hits
    where whole
),
closest as (
    select
        corpus,
        line,
        max(struct_pack(overlap := least(overlap, 1.0), set_name := set_name, side := side)) as found
    from compared
    group by corpus, line
),
judged as (
    select corpus, line, found.overlap as overlap, found.set_name as set_name, found.side as side
    from closest
)
select
    corpus,
    line,
    set_name,
    side,
    overlap,
    {verdict} as rejected_by
from judged
