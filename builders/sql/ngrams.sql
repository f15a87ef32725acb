-- A row is an n-gram of characters of a benchmark sentence, with the number of n-grams that the sentence has; a
-- sentence too short for the search by n-grams has one row with its whole text.
with texts as (
    select distinct benchmark, text
    from benchmark_texts
    where field <> 'answer'
),
sentences as (
    select distinct
        benchmark,
        normalize(unnest(list_prepend(text, regexp_split_to_array(text, '[.!?؟।]+\s+|[。！？]+')))) as sentence
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
    hash(unnest(
        if(
            length(sentence) < $n + $stride,
            [sentence],
            [substr(sentence, start, $n) for start in range(1, length(sentence) - $n + 2)]
        )
    )) as ngram,
    if(length(sentence) < $n + $stride, 1, length(sentence) - $n + 1) as num_ngrams,
    length(sentence) < $n + $stride as is_whole_sentence
from numbered
