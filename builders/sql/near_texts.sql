-- A row is a pair of a part and a part that has worse pairs to be compared with it, sorted by the latter: so a part finds
-- the texts that it needs in a few row groups, whatever parts they are from.
with needed as (
    select distinct
        other_corpus as for_corpus,
        (other_line_number - 1) // $part_rows as for_part,
        line_number
    from near_candidates
    where is_better and corpus = $corpus and line_number between $first and $last
)
select
    for_corpus,
    for_part,
    $corpus as corpus,
    needed.line_number,
    normalize(coalesce(en_cleaned, pairs.en)) as en_norm,
    normalize(coalesce(xx_cleaned, pairs.xx)) as xx_norm
from needed
join measured on measured.line_number = needed.line_number
join pairs on pairs.line_number = needed.line_number
order by for_corpus, for_part, needed.line_number
