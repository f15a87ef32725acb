-- A row is two languages (or one twice) and the number of English sentences of a range, after normalization, that both have.
with sentences as (
    select list_sort(list(distinct lang)) as langs
    from {pairs}
    group by en_norm_hash
),
counted as (
    select langs, count(*) as num_sentences
    from sentences
    group by langs
),
unnested as (
    select unnest(langs) as lang, langs, num_sentences
    from counted
),
paired as (
    select lang, unnest(langs) as other, num_sentences
    from unnested
)
select
    lang,
    other,
    sum(num_sentences)::bigint as num_sentences
from paired
group by lang, other
order by lang, other
