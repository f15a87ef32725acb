-- A row is one line as upstream has it, with what is cheap to measure and the first filter that rejects it for that.
with trimmed as (
    select
        corpus,
        lang,
        line,
        repaired(trimmed(coalesce(en, ''))) as en,
        repaired(trimmed(coalesce(xx, ''))) as xx,
        margin,
        fault
    from pairs
    where line > $first and line <= $last
),
counted as (
    select
        *,
        length(en) as en_length,
        length(xx) as xx_length
    from trimmed
),
begun as (
    select
        *,
        {early_verdict} as rejected_early
    from counted
),
keyed as (
    -- What is rejected for its length or margin is measured no further: from here on its texts are null.
    -- (`if` leaves out what it need not compute; `and` and `or` compute both sides of every row.)
    select
        *,
        if(rejected_early is null, en, null) as en_read,
        if(rejected_early is null, xx, null) as xx_read,
        said(en_read) as en_said,
        said(xx_read) as xx_said,
        is_odd(en_read) or is_odd(xx_read) as odd,
        regexp_matches(xx_read, '(?i)(?:^|[^\pL])(?:the|of|and|which|with|from|that|this)(?:$|[^\pL])') as partly_english
    from begun
),
numbered as (
    select
        *,
        regexp_matches(en_said, '\pN') as en_has_digits,
        regexp_matches(xx_said, '\pN') as xx_has_digits,
        if(en_has_digits and xx_has_digits, regexp_matches(en_read, '\d\d'), false) as numbered
    from keyed
),
measured as (
    select
        * exclude (en_read, xx_read, en_has_digits, xx_has_digits, numbered, odd, partly_english),
        letters_in(en_said, en_has_digits) as en_letters,
        letters_in(xx_said, xx_has_digits) as xx_letters,
        -- Lengths as in English, ten characters of room on either side.
        greatest(
            (length(en_read) + 10) / (length(xx_read) / $ratio + 10),
            (length(xx_read) / $ratio + 10) / (length(en_read) + 10)
        ) as length_ratio,
        if(numbered, numbers_in(en_read), []) as en_numbers,
        if(numbered, numbers_in(xx_read), []) as xx_numbers,
        if(partly_english, english_words(en_read), 0) as en_english_words,
        if(partly_english, english_words(xx_read), 0) as xx_english_words,
        -- English left standing at an end of the foreign side (a URL stands in both as it is).
        if(
            length(xx_said) > 25 and not contains(xx_read, '://'),
            contains(en_said, right(xx_said, 25)) or contains(en_said, left(xx_said, 25)),
            if(xx_said is null, null, false)
        ) as shares_an_end,
        if(odd, damaged(en_read) or damaged(xx_read), odd) as damaged,
        if(odd, marked_up(en_read) or marked_up(xx_read), odd) as marked_up,
        -- Of the letters (for scripts other than Latin: of those that are not Latin), the share in the language's script.
        case
            when regexp_full_match(xx_said, $expected) and regexp_matches(xx_said, $script) then 1.0
            else length(regexp_replace(xx_said, $not_script, '', 'g'))
                / greatest(1, length(regexp_replace(xx_said, $not_letters, '', 'g')))
        end as script_share,
        case
            when strlen(en_said) = length(en_said) then 1.0
            else length(regexp_replace(en_said, '\P{Latin}+', '', 'g')) / length(regexp_replace(en_said, '\PL+', '', 'g'))
        end as en_script_share,
        -- Of the characters that only simplified or only traditional Chinese has, the share that is traditional; null if none.
        case
            when not $two_writings or xx_said is null then null
            when not regexp_matches(xx_said, $traditional) then if(regexp_matches(xx_said, $simplified), 0.0, null)
            when not regexp_matches(xx_said, $simplified) then 1.0
            else length(regexp_replace(xx_said, $not_traditional, '', 'g')) / (
                length(regexp_replace(xx_said, $not_traditional, '', 'g'))
                + length(regexp_replace(xx_said, $not_simplified, '', 'g'))
            )
        end as traditional_share
    from numbered
),
judged as (
    select
        * exclude (rejected_early),
        coalesce(rejected_early, {verdict}) as rejected_by
    from measured
)
select
    * exclude (rejected_by, en_said, xx_said),
    -- What later stages compare by; what is rejected is compared no more.
    if(rejected_by is null, en_said, null) as en_said,
    if(rejected_by is null, xx_said, null) as xx_said,
    if(rejected_by is null, key_of(en_said), null) as en_key,
    if(rejected_by is null, key_of(xx_said), null) as xx_key,
    if(rejected_by is null, key_of(en), null) as en_text,
    if(rejected_by is null, key_of(xx), null) as xx_text,
    rejected_by
from judged
