-- A row is two languages (or one twice) and how many English sides, whatever their case, spacing and punctuation, both have.
with sides as (
    select list_sort(list(distinct lang)) as langs
    from bitext
    group by en_key
),
counted as (
    select langs, count(*) as sides
    from sides
    group by langs
),
unnested as (
    select unnest(langs) as lang, langs, sides
    from counted
),
paired as (
    select lang, unnest(langs) as other, sides
    from unnested
)
select
    lang,
    other,
    sum(sides)::bigint as sides
from paired
group by lang, other
order by lang, other
