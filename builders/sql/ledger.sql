-- A row is the totals of a corpus in a language at a stage (reason is null), or the number of rows rejected with a reason.
-- Rows in are counted in the table that a stage reads, kept rows in a table that a later stage reads: a lost row shows.
-- A reason has three of its lines as examples, from all over the corpus; the text of a benchmark is not repeated.
with numbers as (
    select 'measured' as stage, corpus, lang, 'in' as kind, null as reason
    from pairs
    union all
    select 'measured', corpus, lang, if(reject_reason is null, 'kept', 'rejected'), reject_reason
    from measured
    union all
    select 'duplicates', corpus, lang, 'in', null
    from measured
    where reject_reason is null
    union all
    select 'duplicates', repeats.corpus, $lang, 'rejected', reject_reason
    from repeats
    where reject_reason is not null
    union all
    select 'duplicates', corpus, lang, 'kept', null
    from decisions
    where reject_reason is null or list_contains($contamination, reject_reason) or list_contains($late, reject_reason)
    union all
    select 'contaminated', corpus, lang, 'in', null
    from decisions
    where reject_reason is null or list_contains($contamination, reject_reason) or list_contains($late, reject_reason)
    union all
    select 'contaminated', contaminated.corpus, $lang, 'rejected', reject_reason
    from contaminated
    where reject_reason is not null
    union all
    select 'contaminated', corpus, lang, 'kept', null
    from decisions
    where reject_reason is null or list_contains($late, reject_reason)
    union all
    select 'decisions', corpus, lang, 'in', null
    from decisions
    where reject_reason is null or list_contains($late, reject_reason)
    union all
    select 'decisions', corpus, lang, 'rejected', reject_reason
    from decisions
    where list_contains($late, reject_reason)
    union all
    select 'decisions', corpus, lang, 'kept', null
    from bitext
),
counted as (
    select
        stage,
        corpus,
        lang,
        reason,
        if(reason is null, count(*) filter (kind = 'in'), null) as num_in,
        if(reason is null, count(*) filter (kind = 'kept'), null) as num_kept,
        if(reason is null, null, count(*)) as num_rows
    from numbers
    group by stage, corpus, lang, reason
),
rejected as (
    select
        reject_reason as reason,
        unnest(arg_min(struct_pack(line_number, random_order), random_order, 3), recursive := true)
    from (select *, (line_number * 2654435761) % 4294967296 as random_order from decisions)
    where reject_reason is not null
    group by reject_reason
),
shown as (
    select
        reason,
        struct_pack(
            random_order := random_order,
            line_number := line_number,
            en := if(list_contains($contamination, reason), null, left(coalesce(en_cleaned, en, ''), 200)),
            xx := if(list_contains($contamination, reason), null, left(coalesce(xx_cleaned, xx, ''), 200))
        ) as example
    from rejected
    join pairs using (line_number)
    join measured using (line_number)
),
examples as (
    select reason, list(example order by example) as examples
    from shown
    group by reason
)
select
    stage,
    corpus,
    lang,
    reason,
    num_in,
    num_kept,
    num_rows,
    coalesce(examples, []) as examples
from counted
left join examples using (reason)
order by list_position($stages, stage), reason nulls first
