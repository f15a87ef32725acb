-- A row is a distinct text, without a language identification yet, of a pair that no filter has rejected so far.
-- (Grouped by the text too, which its hash determines: any_value(text) would keep the texts outside the memory limit.)
with kept as (
    select *
    from measured
    anti join duplicates on
        duplicates.corpus = measured.corpus
        and duplicates.line_number = measured.line_number
        and duplicates.reject_reason is not null
    anti join contaminated on
        contaminated.corpus = measured.corpus
        and contaminated.line_number = measured.line_number
        and contaminated.reject_reason is not null
    where measured.reject_reason is null
),
texts as (
    select en_hash as text_hash, en as text from kept
    union all
    select xx_hash as text_hash, xx as text from kept
)
select
    text_hash,
    text
from texts
anti join (select text_hash from language_ids) as known using (text_hash)
group by text_hash, text
