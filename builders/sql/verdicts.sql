-- A row is one line as upstream has it, judged: its measures, and the first filter that rejects it.
with heard as (
    select
        text_key,
        any_value(label) as label,
        any_value(probability) as probability
    from identified
    where text_key in (select en_text from screened union all select xx_text from screened)
    group by text_key
),
judged as (
    select
        screened.* exclude (rejected_by, en_text, xx_text, en_said, xx_said),
        duplicates.matched_corpus,
        duplicates.matched_line,
        duplicates.similarity as matched_similarity,
        contaminated.set_name as evaluation_set,
        contaminated.overlap as evaluation_overlap,
        scores.* exclude (corpus, line),
        coalesce(screened.rejected_by, duplicates.rejected_by, contaminated.rejected_by) as rejected_before,
        english.label as en_label,
        english.probability as en_probability,
        coalesce(list_contains($english_labels, english.label), false) as en_is_expected,
        foreign_side.label as xx_label,
        foreign_side.probability as xx_probability,
        coalesce(list_contains($labels, foreign_side.label), false) as xx_is_expected
    from screened
    left join duplicates on duplicates.corpus = screened.corpus and duplicates.line = screened.line
    left join contaminated on contaminated.corpus = screened.corpus and contaminated.line = screened.line
    left join scores on scores.corpus = screened.corpus and scores.line = screened.line
    left join heard as english on english.text_key = screened.en_text
    left join heard as foreign_side on foreign_side.text_key = screened.xx_text
)
select
    * exclude (rejected_before, en_is_expected, xx_is_expected),
    coalesce(rejected_before, {verdict}) as rejected_by
from judged
