-- A row is a line of a bitext with all its measures and the first filter of all that rejects it.
with identified as (
    select
        text_hash,
        any_value(label) as label,
        any_value(probability) as probability
    from language_ids
    where text_hash in (select en_hash from measured union all select xx_hash from measured)
    group by text_hash
),
joined as (
    select
        measured.* exclude (reject_reason, en_hash, xx_hash, en_norm, xx_norm),
        duplicates.matched_corpus,
        duplicates.matched_line_number,
        duplicates.similarity as matched_similarity,
        contaminated.benchmark,
        contaminated.overlap as benchmark_overlap,
        quality_scores.* exclude (corpus, line_number),
        coalesce(measured.reject_reason, duplicates.reject_reason, contaminated.reject_reason) as previous_reject_reason,
        english.label as en_label,
        english.probability as en_probability,
        coalesce(list_contains($english_labels, english.label), false) as en_is_expected,
        foreign_side.label as xx_label,
        foreign_side.probability as xx_probability,
        coalesce(list_contains($labels, foreign_side.label), false) as xx_is_expected
    from measured
    left join duplicates on duplicates.corpus = measured.corpus and duplicates.line_number = measured.line_number
    left join contaminated on contaminated.corpus = measured.corpus and contaminated.line_number = measured.line_number
    left join quality_scores on
        quality_scores.corpus = measured.corpus and quality_scores.line_number = measured.line_number
    left join identified as english on english.text_hash = measured.en_hash
    left join identified as foreign_side on foreign_side.text_hash = measured.xx_hash
)
select
    * exclude (previous_reject_reason, en_is_expected, xx_is_expected),
    coalesce(previous_reject_reason, {reject_reason}) as reject_reason
from joined as filter_row
