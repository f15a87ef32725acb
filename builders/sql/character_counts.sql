-- A row is a line of a bitext, cleaned, with the first early filter that rejects it and what its characters are.
-- Compiled code makes the same rows of large inputs: builders/pipeline/measuring.
with cleaned as (
    select
        corpus,
        lang,
        line_number,
        en as en_as_read,
        xx as xx_as_read,
        strip_whitespace(coalesce(en_as_read, '')) as en,
        strip_whitespace(coalesce(xx_as_read, '')) as xx,
        margin,
        read_error
    from pairs
),
with_lengths as (
    select
        * exclude (en_as_read, xx_as_read),
        if(en_as_read <> en, en, null) as en_cleaned,
        if(xx_as_read <> xx, xx, null) as xx_cleaned,
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
        normalize(xx_read) as xx_norm
    from with_early_reason
),
with_digits as (
    select
        *,
        regexp_matches(en_norm, '\pN') as en_has_digits,
        regexp_matches(xx_norm, '\pN') as xx_has_digits
    from normalized
)
select
    * exclude (en_read, xx_read, en_has_digits, xx_has_digits),
    count_letters(en_norm, en_has_digits) as en_num_letters,
    count_letters(xx_norm, xx_has_digits) as xx_num_letters,
    if(en_has_digits and xx_has_digits, regexp_matches(en_read, '\d\d'), false) as has_numbers,
    coalesce(
        regexp_matches(xx_read, '(?i)(?:^|[^\pL])(?:the|of|and|which|with|from|that|this)(?:$|[^\pL])'), false
    ) as has_english_words,
    -- Compiled code says where signs may be; here they may be everywhere.
    early_reject_reason is null as has_signs,
    coalesce(may_repeat(en_norm) or may_repeat(xx_norm), false) as may_repeat,
    needs_check(en_read) or needs_check(xx_read) as is_suspicious,
    hash_128(en_read) as en_hash,
    hash_128(xx_read) as xx_hash,
    hash_128(en_norm) as en_norm_hash,
    hash_128(xx_norm) as xx_norm_hash,
    -- Compiled code says where a benchmark text may be; here it may be everywhere.
    true as en_may_match,
    true as xx_may_match,
    -- The target side begins or ends with English text of the English side (a URL is the same on both sides).
    if(
        length(xx_norm) > 25 and not contains(xx_read, '://'),
        contains(en_norm, right(xx_norm, 25)) or contains(en_norm, left(xx_norm, 25)),
        if(xx_norm is null, null, false)
    ) as copies_source_edge,
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
    -- Of the characters that only one of the language's two variants has, the share of the second; null if none.
    case
        when not $has_variants or xx_norm is null then null
        when not regexp_matches(xx_norm, $second_variant) then if(regexp_matches(xx_norm, $first_variant), 0.0, null)
        when not regexp_matches(xx_norm, $first_variant) then 1.0
        else length(regexp_replace(xx_norm, $not_second_variant, '', 'g')) / (
            length(regexp_replace(xx_norm, $not_second_variant, '', 'g'))
            + length(regexp_replace(xx_norm, $not_first_variant, '', 'g'))
        )
    end as variant_share
from with_digits
