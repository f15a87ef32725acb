-- A row is a distinct text of a pair that no filter has rejected so far and whose language is not known yet.
-- (Grouped by the text too, which its key determines: any_value(text) would hold the texts where no limit counts them.)
with kept as (
    select *
    from screened
    anti join duplicates on
        duplicates.corpus = screened.corpus
        and duplicates.line = screened.line
        and duplicates.rejected_by is not null
    anti join contaminated on
        contaminated.corpus = screened.corpus
        and contaminated.line = screened.line
        and contaminated.rejected_by is not null
    where screened.rejected_by is null
),
texts as (
    select en_text as text_key, en as text from kept
    union all
    select xx_text as text_key, xx as text from kept
)
select
    text_key,
    text
from texts
anti join (select text_key from identified) as known using (text_key)
group by text_key, text
