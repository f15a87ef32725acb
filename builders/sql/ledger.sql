-- A row is one number of the account: how many rows of a corpus in a language a stage was given, kept, or rejected, and why.
-- What a stage was given is counted where it was made, what it kept where it is used, so that a lost row shows.
-- A reason comes with three of its lines, scattered over the corpus; what an evaluation set says is not said again.
with numbers as (
    select 1 as step, 'screened' as stage, corpus, lang, 'in' as reason
    from pairs
    union all
    select 1, 'screened', corpus, lang, coalesce(rejected_by, 'kept')
    from screened
    union all
    select 2, 'duplicates', corpus, lang, 'in'
    from screened
    where rejected_by is null
    union all
    select 2, 'duplicates', duplicates.corpus, $lang, rejected_by
    from duplicates
    where rejected_by is not null
    union all
    select 2, 'duplicates', corpus, lang, 'kept'
    from verdicts
    where rejected_by is null or list_contains($contamination, rejected_by) or list_contains($late, rejected_by)
    union all
    select 3, 'contaminated', corpus, lang, 'in'
    from verdicts
    where rejected_by is null or list_contains($contamination, rejected_by) or list_contains($late, rejected_by)
    union all
    select 3, 'contaminated', contaminated.corpus, $lang, rejected_by
    from contaminated
    where rejected_by is not null
    union all
    select 3, 'contaminated', corpus, lang, 'kept'
    from verdicts
    where rejected_by is null or list_contains($late, rejected_by)
    union all
    select 4, 'verdicts', corpus, lang, 'in'
    from verdicts
    where rejected_by is null or list_contains($late, rejected_by)
    union all
    select 4, 'verdicts', corpus, lang, rejected_by
    from verdicts
    where list_contains($late, rejected_by)
    union all
    select 4, 'verdicts', corpus, lang, 'kept'
    from bitext
),
counted as (
    select
        step,
        stage,
        corpus,
        lang,
        reason,
        count(*) as rows
    from numbers
    group by step, stage, corpus, lang, reason
),
rejected as (
    select
        corpus,
        rejected_by as reason,
        list_contains($contamination, rejected_by) as unsaid,
        (line * 2654435761) % 4294967296 as place,
        struct_pack(line := line, en := if(unsaid, null, left(en, 200)), xx := if(unsaid, null, left(xx, 200))) as example
    from verdicts
    where rejected_by is not null
),
examples as (
    select corpus, reason, arg_min(example, place, 3) as examples
    from rejected
    group by corpus, reason
)
select
    stage,
    corpus,
    lang,
    reason,
    rows,
    coalesce(examples, []) as examples
from counted
left join examples using (corpus, reason)
order by corpus, step, reason <> 'in', reason = 'kept', reason
