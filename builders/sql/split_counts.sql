-- A row is the number of kept pairs of a language and split in a range of ids.
with pairs as (
{split_pairs}
)
select $number as range_number, lang, split, count(*) as num_rows
from pairs
group by lang, split
order by lang, split
