-- A row is a corpus in a language, with the numbers of its pairs that are judged, and that look like pairs put together at
-- random.
select
    corpus,
    count(*) as num_pairs,
    count({chance}) as num_judged,
    count(*) filter ({chance} > $wrong_chance) as num_random
from {table}
group by corpus
order by corpus
