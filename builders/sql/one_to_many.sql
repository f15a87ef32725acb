-- A row is a pair with a side that has too many different counterparts: boilerplate that mining took for a translation.
with kept as (
    select corpus, line_number, en_norm_hash, xx_norm_hash
    from measured
    anti join duplicates on
        duplicates.corpus = measured.corpus
        and duplicates.line_number = measured.line_number
        and duplicates.reject_reason is not null
    where measured.reject_reason is null
),
shared_sides as (
    select 'en' as side, en_norm_hash as key, count(distinct xx_norm_hash) as num_counterparts from kept group by en_norm_hash
    having num_counterparts > 1
    union all
    select 'xx' as side, xx_norm_hash as key, count(distinct en_norm_hash) as num_counterparts from kept group by xx_norm_hash
    having num_counterparts > 1
),
counted as (
    select
        kept.corpus,
        kept.line_number,
        greatest(coalesce(of_english.num_counterparts, 1), coalesce(of_foreign.num_counterparts, 1)) as num_counterparts
    from kept
    left join shared_sides as of_english on of_english.side = 'en' and of_english.key = kept.en_norm_hash
    left join shared_sides as of_foreign on of_foreign.side = 'xx' and of_foreign.key = kept.xx_norm_hash
),
decided as (
    select corpus, line_number, {reject_reason} as reject_reason
    from counted as filter_row
)
select
    corpus,
    line_number,
    null::varchar as matched_corpus,
    null::bigint as matched_line_number,
    null::double as similarity,
    reject_reason
from decided
where reject_reason is not null
