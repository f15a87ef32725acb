-- A row is an n-gram of characters of a sentence in an evaluation set, with the number that the sentence has; a sentence
-- too short for the search by n-grams has one row, of all that it says.
with texts as (
    select distinct set_name, text
    from evaluation
    where field <> 'answer'
),
sentences as (
    select distinct
        set_name,
        said(unnest(list_prepend(text, regexp_split_to_array(text, '[.!?؟।]+\s+|[。！？]+')))) as sentence
    from texts
),
numbered as (
    select
        set_name,
        sentence,
        row_number() over (order by set_name, sentence) as item
    from sentences
    where length(sentence) >= $shortest
)
select
    set_name,
    item,
    hash(unnest(
        if(
            length(sentence) < $n + $stride,
            [sentence],
            [substr(sentence, start, $n) for start in range(1, length(sentence) - $n + 2)]
        )
    )) as gram,
    if(length(sentence) < $n + $stride, 1, length(sentence) - $n + 1) as num_grams,
    length(sentence) < $n + $stride as whole
from numbered
