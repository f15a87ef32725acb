-- A row is a sentence pair that no filter rejects; its id is the same on every machine, whichever corpus it is from.
-- Sorted by id, so that a range of ids is a few row groups of each part.
with kept as (
    select
        pairs.lang,
        coalesce(measured.en_cleaned, pairs.en) as en,
        coalesce(measured.xx_cleaned, pairs.xx) as xx,
        pairs.margin,
        pairs.corpus,
        pairs.line_number,
        measured.en_norm_hash,
        measured.xx_norm_hash
    from pairs
    join measured on measured.line_number = pairs.line_number
    semi join (select line_number from decisions where reject_reason is null) as decisions
        on decisions.line_number = pairs.line_number
)
select left(sha256(concat_ws(chr(31), lang, en, xx)), 32) as id, *
from kept
order by id
