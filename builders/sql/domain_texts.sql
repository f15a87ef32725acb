-- A row is an English sentence of a domain of a corpus, or of the rest of that corpus.
with lines as (
    (
        select line_number, true as is_own
        from alignment_scores
        where corpus = $corpus and domain = $domain
        order by line_number
        limit $most
    )
    union all
    (
        select line_number, false as is_own
        from alignment_scores
        where corpus = $corpus and domain is distinct from $domain
        order by line_number
        limit $most
    )
)

select lines.is_own, pairs.en
from pairs
join lines on lines.line_number = pairs.line_number
where pairs.corpus = $corpus
order by pairs.line_number
