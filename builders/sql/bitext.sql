-- A row is a sentence pair that no filter rejects; its id is the same on every machine, whichever corpus it is from.
select
    left(sha256(concat_ws(chr(31), lang, en, xx)), 32) as id,
    lang,
    en,
    xx,
    margin,
    corpus,
    line_number,
    en_norm_hash,
    xx_norm_hash
from decisions
where reject_reason is null
