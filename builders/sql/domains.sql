-- A row is a domain of a corpus: its pairs, those that its own random pairs would spare, and those that are wrong by them;
-- and the same of random pairs of that domain.
with own as (
    select
        alignment_scores.corpus,
        domain,
        count(*) as num_pairs,
        count(*) filter (
            chance > $max_chance and domain_chance <= $max_chance and alignment <= max_alignment
        ) as num_spared,
        count(*) filter (domain_chance > $wrong_chance) as num_wrong
    from alignment_scores
    left join misaligned_shares on misaligned_shares.corpus = alignment_scores.corpus
    where domain is not null
    group by alignment_scores.corpus, domain
),

random as (
    select
        corpus,
        domain,
        count(*) filter (chance > $max_chance and domain_chance <= $max_chance) as random_spared,
        count(*) filter (domain_chance > $wrong_chance) as random_wrong
    from random_pairs
    where domain is not null
    group by corpus, domain
)

select
    own.*,
    sum(own.num_pairs) over (partition by own.corpus)::bigint as num_corpus_pairs,
    random.random_spared,
    random.random_wrong
from own
join random on
    random.domain = own.domain
    and random.corpus = if(own.corpus in (select corpus from random), own.corpus, '')
order by own.corpus, own.domain
