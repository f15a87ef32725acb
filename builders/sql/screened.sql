-- A row is one line as upstream has it, with what is cheap to measure and the first filter that rejects it for that.
with trimmed as (
    select
        corpus,
        lang,
        line,
        repaired(trim(coalesce(en, ''), $spaces)) as en,
        repaired(trim(coalesce(xx, ''), $spaces)) as xx,
        margin,
        fault
    from pairs
    where line > $first and line <= $last
),
keyed as (
    select
        *,
        said(en) as en_said,
        said(xx) as xx_said
    from trimmed
),
measured as (
    select
        *,
        length(en) as en_length,
        length(xx) as xx_length,
        length(regexp_replace(en_said, '\pN+', '', 'g')) as en_letters,
        length(regexp_replace(xx_said, '\pN+', '', 'g')) as xx_letters,
        -- Lengths as in English, ten characters of room on either side.
        greatest(
            (length(en) + 10) / (length(xx) / $ratio + 10),
            (length(xx) / $ratio + 10) / (length(en) + 10)
        ) as length_ratio,
        key_of(en_said) as en_key,
        key_of(xx_said) as xx_key,
        numbers_in(en) as en_numbers,
        numbers_in(xx) as xx_numbers,
        english_words(en) as en_english_words,
        english_words(xx) as xx_english_words,
        -- U+FFFD, control characters, and UTF-8 bytes shown as Latin-1 or Windows-1252 characters (« and » may be quotes).
        regexp_matches(
            concat(en, ' ', xx),
            '[\x{FFFD}\x{00}-\x{08}\x{0B}-\x{1F}\x{7F}-\x{9F}]|(?:[\x{C2}-\x{F4}][\x{A0}-\x{BF}]){2}|'
                || '[\x{C2}-\x{C5}\x{CE}-\x{D1}\x{D8}-\x{DB}][\x{A0}-\x{AA}\x{AC}-\x{BA}\x{BC}-\x{BF}]|â€[™œ˜“”¦]'
        ) as damaged,
        -- Wiki tables, templates and links, HTML tags, and sides that are nothing but a URL.
        regexp_matches(concat(en, ' ', xx), '\{\{|\}\}|\[\[|\]\]|\|\||</?[a-zA-Z][^<>]*>')
        or regexp_full_match(en, '\PL*https?://\S+\PL*')
        or regexp_full_match(xx, '\PL*https?://\S+\PL*') as marked_up,
        -- Of the letters (for scripts other than Latin: of those that are not Latin), the share in the language's script.
        case
            when regexp_full_match(xx_said, $expected) and regexp_matches(xx_said, $script) then 1.0
            else length(regexp_replace(xx_said, $not_script, '', 'g'))
                / greatest(1, length(regexp_replace(xx_said, $not_letters, '', 'g')))
        end as script_share,
        case
            when regexp_full_match(en_said, '[\p{Latin}\pM\pN]*') then 1.0
            else length(regexp_replace(en_said, '\P{Latin}+', '', 'g')) / length(regexp_replace(en_said, '\PL+', '', 'g'))
        end as en_script_share
    from keyed
)
select
    *,
    key_of(en) as en_text,
    key_of(xx) as xx_text,
    {verdict} as rejected_by
from measured
