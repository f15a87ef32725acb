-- A row is a kept pair with a side that stands against many different others: boilerplate that mining took for translations.
with kept as (
    select corpus, line, en_key, xx_key
    from screened
    anti join duplicates on
        duplicates.corpus = screened.corpus
        and duplicates.line = screened.line
        and duplicates.rejected_by is not null
    where screened.rejected_by is null
),
hubs as (
    select 'en' as side, en_key as key, count(distinct xx_key) as others from kept group by en_key
    having others > 1
    union all
    select 'xx' as side, xx_key as key, count(distinct en_key) as others from kept group by xx_key
    having others > 1
),
counted as (
    select
        kept.corpus,
        kept.line,
        greatest(coalesce(by_english.others, 1), coalesce(by_foreign.others, 1)) as others
    from kept
    left join hubs as by_english on by_english.side = 'en' and by_english.key = kept.en_key
    left join hubs as by_foreign on by_foreign.side = 'xx' and by_foreign.key = kept.xx_key
),
judged as (
    select corpus, line, {verdict} as rejected_by
    from counted
)
select
    corpus,
    line,
    null::varchar as matched_corpus,
    null::bigint as matched_line,
    null::double as similarity,
    rejected_by
from judged
where rejected_by is not null
