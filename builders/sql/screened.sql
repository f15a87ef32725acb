-- A row is one line as upstream has it, with what is cheap to measure and the first filter that rejects it for that.
with trimmed as (
    select
        corpus,
        lang,
        line,
        trim(coalesce(en, ''), $spaces) as en,
        trim(coalesce(xx, ''), $spaces) as xx,
        margin,
        fault
    from pairs
    where line > $first and line <= $last
),
keyed as (
    select
        *,
        -- What a text says, whatever its case, spacing and punctuation; marks are letters, ς is σ.
        regexp_replace(replace(lower(en), 'ς', 'σ'), '[^\pL\pM\pN]+', '', 'g') as en_said,
        regexp_replace(replace(lower(xx), 'ς', 'σ'), '[^\pL\pM\pN]+', '', 'g') as xx_said
    from trimmed
),
measured as (
    select
        * exclude (en_said, xx_said),
        length(en) as en_length,
        length(xx) as xx_length,
        length(regexp_replace(en_said, '\pN+', '', 'g')) as en_letters,
        length(regexp_replace(xx_said, '\pN+', '', 'g')) as xx_letters,
        -- Lengths as in English, ten characters of room on either side.
        greatest(
            (length(en) + 10) / (length(xx) / $ratio + 10),
            (length(xx) / $ratio + 10) / (length(en) + 10)
        ) as length_ratio,
        left(sha256(en_said), 32)::uuid as en_key,
        left(sha256(xx_said), 32)::uuid as xx_key,
        -- U+FFFD, control characters, and UTF-8 bytes shown as Latin-1 or Windows-1252 characters.
        regexp_matches(
            concat(en, ' ', xx),
            '[\x{FFFD}\x{00}-\x{08}\x{0B}-\x{1F}\x{7F}-\x{9F}]|(?:[\x{C2}-\x{F4}][\x{A0}-\x{BF}]){2}|â€[™œ˜“”¦]'
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
        end as script_share
    from keyed
)
select
    *,
    left(sha256(en), 32)::uuid as en_text,
    left(sha256(xx), 32)::uuid as xx_text,
    {verdict} as rejected_by
from measured
