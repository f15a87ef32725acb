-- A row is a line of a bitext with its cheap measures and the first filter on them that rejects it.
with cleaned as (
    select
        corpus,
        lang,
        line_number,
        unescape_html(strip_whitespace(coalesce(en, ''))) as en,
        unescape_html(strip_whitespace(coalesce(xx, ''))) as xx,
        margin,
        read_error,
        nullif(unescape_html(strip_whitespace(pairs.en)), pairs.en) as en_cleaned,
        nullif(unescape_html(strip_whitespace(pairs.xx)), pairs.xx) as xx_cleaned
    from pairs
),
with_lengths as (
    select
        *,
        length(en) as en_length,
        length(xx) as xx_length
    from cleaned
),
with_early_reason as (
    select
        *,
        {early_reject_reason} as early_reject_reason
    from with_lengths as filter_row
),
normalized as (
    -- Rows that an early filter rejects are not measured: from here on their texts are null.
    -- (`if` computes only the branch that it needs; `and` and `or` compute both sides for every row.)
    select
        *,
        if(early_reject_reason is null, en, null) as en_read,
        if(early_reject_reason is null, xx, null) as xx_read,
        normalize(en_read) as en_norm,
        normalize(xx_read) as xx_norm,
        needs_check(en_read) or needs_check(xx_read) as is_suspicious,
        regexp_matches(xx_read, '(?i)(?:^|[^\pL])(?:the|of|and|which|with|from|that|this)(?:$|[^\pL])') as has_english_words
    from with_early_reason
),
with_numbers as (
    select
        *,
        regexp_matches(en_norm, '\pN') as en_has_digits,
        regexp_matches(xx_norm, '\pN') as xx_has_digits,
        if(en_has_digits and xx_has_digits, regexp_matches(en_read, '\d\d'), false) as has_numbers
    from normalized
),
with_measures as (
    select
        * exclude (en_read, xx_read, en_has_digits, xx_has_digits, has_numbers, is_suspicious, has_english_words),
        count_letters(en_norm, en_has_digits) as en_num_letters,
        count_letters(xx_norm, xx_has_digits) as xx_num_letters,
        -- A formula of corpora/language_id/language_checks.toml, as quality checks of translations use it.
        length_ratio(length(en_read), length(xx_read), $ratio) as length_ratio,
        if(has_numbers, numbers_in(en_read), []) as en_numbers,
        if(has_numbers, numbers_in(xx_read), []) as xx_numbers,
        if(has_english_words, english_words(en_read), 0) as en_english_words,
        if(has_english_words, english_words(xx_read), 0) as xx_english_words,
        -- The foreign side begins or ends with English text of the English side (a URL is the same on both sides).
        if(
            length(xx_norm) > 25 and not contains(xx_read, '://'),
            contains(en_norm, right(xx_norm, 25)) or contains(en_norm, left(xx_norm, 25)),
            if(xx_norm is null, null, false)
        ) as copies_source_edge,
        if(is_suspicious, has_mojibake(en_read) or has_mojibake(xx_read), is_suspicious) as has_mojibake,
        if(is_suspicious, has_markup(en_read) or has_markup(xx_read), is_suspicious) as has_markup,
        -- The share of the letters (for scripts other than Latin: of the letters that are not Latin) in the language's script.
        case
            when regexp_full_match(xx_norm, $expected) and regexp_matches(xx_norm, $script) then 1.0
            else length(regexp_replace(xx_norm, $not_script, '', 'g'))
                / greatest(1, length(regexp_replace(xx_norm, $not_letters, '', 'g')))
        end as script_share,
        case
            when strlen(en_norm) = length(en_norm) then 1.0
            else length(regexp_replace(en_norm, '\P{Latin}+', '', 'g')) / length(regexp_replace(en_norm, '\PL+', '', 'g'))
        end as en_script_share,
        -- The share of traditional characters among those of only simplified or only traditional Chinese; null if none.
        case
            when not $has_variants or xx_norm is null then null
            when not regexp_matches(xx_norm, $traditional) then if(regexp_matches(xx_norm, $simplified), 0.0, null)
            when not regexp_matches(xx_norm, $simplified) then 1.0
            else length(regexp_replace(xx_norm, $not_traditional, '', 'g')) / (
                length(regexp_replace(xx_norm, $not_traditional, '', 'g'))
                + length(regexp_replace(xx_norm, $not_simplified, '', 'g'))
            )
        end as traditional_share
    from with_numbers
),
decided as (
    select
        * exclude (early_reject_reason),
        coalesce(early_reject_reason, {reject_reason}) as reject_reason
    from with_measures as filter_row
)
select
    * exclude (en, xx, reject_reason, en_norm, xx_norm),
    -- What later stages compare; they do not compare rejected rows.
    if(reject_reason is null, en_norm, null) as en_norm,
    if(reject_reason is null, xx_norm, null) as xx_norm,
    if(reject_reason is null, hash_128(en_norm), null) as en_norm_hash,
    if(reject_reason is null, hash_128(xx_norm), null) as xx_norm_hash,
    if(reject_reason is null, hash_128(en), null) as en_hash,
    if(reject_reason is null, hash_128(xx), null) as xx_hash,
    reject_reason
from decided
