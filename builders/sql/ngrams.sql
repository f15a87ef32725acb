-- A row is a benchmark sentence, normalized (and without accents, as `benchmark_texts` are), with the number of n-grams of
-- characters that pairs are searched for; a sentence too short for the search by n-grams is searched for as a whole.
with texts as (
    select distinct benchmark, text
    from benchmark_texts
    where field <> 'answer'
),
sentences as (
    select distinct
        benchmark,
        normalize(unnest(list_prepend(text, regexp_split_to_array(text, '[.!?؟۔।॥։።፧፨។៕᱾᱿꯫།༎]+\s+|[。！？｡．]+')))) as sentence
    from texts
),
numbered as (
    select
        benchmark,
        sentence,
        row_number() over (order by benchmark, sentence) as item
    from sentences
    where length(sentence) >= $shortest
)
select
    benchmark,
    item,
    sentence,
    if(length(sentence) < $n + $stride, 1, length(sentence) - $n + 1) as num_ngrams,
    length(sentence) < $n + $stride as is_whole_sentence
from numbered
order by item
