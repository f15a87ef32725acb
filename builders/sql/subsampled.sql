-- A row is one example of one config that is within the allocation, in the order of its key.
with ranked as (
    select
        *,
        if(
            direction = 'xx-en',
            row_number() over (partition by lang, task, direction, split order by id desc),
            row_number() over (partition by lang, task, direction, split order by id)
        ) as rank
    from examples
)
select
    ranked.id,
    ranked.lang,
    ranked.task,
    ranked.direction,
    ranked.instruction,
    ranked.input,
    ranked.output,
    ranked.corpus,
    ranked.split,
    ranked.row_sha256
from ranked
left join allocation on allocation.lang = ranked.lang and allocation.direction = ranked.direction
where
    ranked.task <> 'translation'
    or ranked.rank <= if(ranked.split = 'train', allocation.num_rows, ceil(allocation.num_rows * $validation))
order by ranked.id, ranked.lang, ranked.task, ranked.direction
