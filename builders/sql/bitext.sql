-- A row is a kept sentence pair, under a name that is the same on every machine and whichever corpus won.
select
    left(sha256(concat_ws(chr(31), lang, en, xx)), 32) as id,
    lang,
    en,
    xx,
    margin,
    corpus,
    line,
    en_key,
    xx_key
from verdicts
where rejected_by is null
