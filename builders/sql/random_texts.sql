-- A row is a pair of a sample of each corpus of a language, in the order of digests.
select digest, corpus, line_number, en, xx
from scored_texts
qualify row_number() over (partition by corpus order by digest, line_number) <= $most
order by corpus, digest, line_number
