-- A row is a line of a bitext with its cheap measures and the first filter on them that rejects it; its texts are in `pairs`.
with character_counts as (
    {character_counts}
),
with_measures as (
    select
        corpus,
        lang,
        line_number,
        en,
        xx,
        en_cleaned,
        xx_cleaned,
        margin,
        read_error,
        en_length,
        xx_length,
        early_reject_reason,
        en_norm,
        xx_norm,
        en_norm_hash,
        xx_norm_hash,
        en_hash,
        xx_hash,
        en_may_match,
        xx_may_match,
        en_num_letters,
        xx_num_letters,
        -- A formula of corpora/language_id/language_checks.toml, as quality checks of translations use it.
        if(early_reject_reason is null, length_ratio(en_length, xx_length, $ratio), null) as length_ratio,
        if(has_numbers, if(has_converted_numbers(en), [], numbers_in(en)), []) as en_numbers,
        if(has_numbers, numbers_in(xx), []) as xx_numbers,
        if(has_english_words, english_words(en, $english_words), 0) as en_english_words,
        if(has_english_words, english_words(without_foreign_titles(en, xx), $english_words), 0) as xx_english_words,
        if(
            copies_source_edge, copies_edge(en_norm, normalize(without_foreign_titles(en, xx))), copies_source_edge
        ) as copies_source_edge,
        if(is_suspicious, has_mojibake(en) or has_mojibake(xx), is_suspicious)
            or if(lang = 'tr' and early_reject_reason is null, has_turkish_mojibake(xx), false) as has_mojibake,
        if(is_suspicious, has_markup(en) or has_markup(xx), is_suspicious) as has_markup,
        script_share,
        en_script_share,
        variant_share,
        -- What the normalized texts leave out although it says something: C++ and C#, 1.5 and 15.
        if(has_signs, concat_ws(chr(9), signs_in(en), signs_in(xx)), chr(9)) as signs,
        if(early_reject_reason is null, is_in_capitals(en)::tinyint + is_in_capitals(xx)::tinyint, 0) as num_in_capitals,
        if(
            may_repeat,
            greatest(if(may_repeat(en_norm), repeated_share(en_norm), 0), if(may_repeat(xx_norm), repeated_share(xx_norm), 0)),
            0
        ) as repeated_share
    from character_counts
),
decided as (
    select
        *,
        coalesce(early_reject_reason, {reject_reason}) as reject_reason
    from with_measures as filter_row
)
select
    * exclude (
        en, xx, early_reject_reason, en_norm, xx_norm, en_norm_hash, xx_norm_hash, en_hash, xx_hash, en_may_match,
        xx_may_match, reject_reason
    ),
    -- What later stages compare; they do not compare rejected rows.
    if(reject_reason is null and en_may_match, en_norm, null) as en_norm,
    if(reject_reason is null and xx_may_match, xx_norm, null) as xx_norm,
    if(reject_reason is null, en_norm_hash, null) as en_norm_hash,
    if(reject_reason is null, xx_norm_hash, null) as xx_norm_hash,
    if(reject_reason is null, en_hash, null) as en_hash,
    if(reject_reason is null, xx_hash, null) as xx_hash,
    reject_reason
from decided
