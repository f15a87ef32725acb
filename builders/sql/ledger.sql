-- A row is one number of the account: how many rows of a corpus in a language a stage was given, kept, or rejected, and why.
-- What a stage was given is counted where it was made, what it kept where it is used, so that a lost row shows.
-- A reason comes with three of its lines, scattered over the corpus; what an evaluation set says is not said again.
with numbers as (
    select 1 as step, 'measured' as stage, corpus, lang, 'in' as reason
    from pairs
    union all
    select 1, 'measured', corpus, lang, coalesce(reject_reason, 'kept')
    from measured
    union all
    select 2, 'duplicates', corpus, lang, 'in'
    from measured
    where reject_reason is null
    union all
    select 2, 'duplicates', duplicates.corpus, $lang, reject_reason
    from duplicates
    where reject_reason is not null
    union all
    select 2, 'duplicates', corpus, lang, 'kept'
    from decisions
    where reject_reason is null or list_contains($contamination, reject_reason) or list_contains($late, reject_reason)
    union all
    select 3, 'contaminated', corpus, lang, 'in'
    from decisions
    where reject_reason is null or list_contains($contamination, reject_reason) or list_contains($late, reject_reason)
    union all
    select 3, 'contaminated', contaminated.corpus, $lang, reject_reason
    from contaminated
    where reject_reason is not null
    union all
    select 3, 'contaminated', corpus, lang, 'kept'
    from decisions
    where reject_reason is null or list_contains($late, reject_reason)
    union all
    select 4, 'decisions', corpus, lang, 'in'
    from decisions
    where reject_reason is null or list_contains($late, reject_reason)
    union all
    select 4, 'decisions', corpus, lang, reject_reason
    from decisions
    where list_contains($late, reject_reason)
    union all
    select 4, 'decisions', corpus, lang, 'kept'
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
        reject_reason as reason,
        list_contains($contamination, reject_reason) as unsaid,
        (line_number * 2654435761) % 4294967296 as place,
        struct_pack(line_number := line_number, en := if(unsaid, null, left(en, 200)), xx := if(unsaid, null, left(xx, 200))) as example
    from decisions
    where reject_reason is not null
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
