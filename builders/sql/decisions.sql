-- A row is a line of a bitext with the first filter of all that rejects it, and what the later stages found for it.
with joined as (
    select
        measured.* exclude (reject_reason, en_hash, xx_hash, en_norm, xx_norm),
        {texts}
        repeats.matched_corpus,
        repeats.matched_line_number,
        repeats.similarity as matched_similarity,
        contaminated.benchmark,
        contaminated.overlap as benchmark_overlap,
        quality_scores.* exclude (corpus, line_number),
        alignment_scores.alignment,
        if(domains.is_apart, least(alignment_scores.chance, alignment_scores.domain_chance), alignment_scores.chance)
            as chance,
        misaligned_shares.max_alignment,
        model_scores.model_score,
        model_scores.model_chance,
        model_shares.max_alignment as max_model_score,
        coalesce(measured.reject_reason, repeats.reject_reason, contaminated.reject_reason) as previous_reject_reason,
        language_ids.en_label,
        language_ids.en_probability,
        coalesce(is_expected(language_ids.en_label, $english_labels), false) as en_is_expected,
        language_ids.xx_label,
        language_ids.xx_probability,
        coalesce(is_expected(language_ids.xx_label, $labels), false) as xx_is_expected
    from measured
    {pairs}
    left join repeats on repeats.line_number = measured.line_number
    left join contaminated on contaminated.line_number = measured.line_number
    left join language_ids on language_ids.line_number = measured.line_number
    left join quality_scores on
        quality_scores.corpus = measured.corpus and quality_scores.line_number = measured.line_number
    left join alignment_scores on alignment_scores.line_number = measured.line_number
    left join misaligned_shares on misaligned_shares.corpus = measured.corpus
    left join domains on domains.corpus = alignment_scores.corpus and domains.domain = alignment_scores.domain
    left join model_scores on model_scores.line_number = measured.line_number
    left join model_shares on model_shares.corpus = measured.corpus
)
select
    corpus,
    lang,
    line_number,
    matched_corpus,
    matched_line_number,
    matched_similarity,
    benchmark,
    benchmark_overlap,
    en_label,
    en_probability,
    xx_label,
    xx_probability,
    {scores}
    alignment,
    chance,
    coalesce(previous_reject_reason, {reject_reason}, {late_reject_reason}) as reject_reason
from joined as filter_row
order by line_number
