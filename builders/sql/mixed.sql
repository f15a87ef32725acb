-- A row is one published example of one config that is within the mixture, in the order of its key.
with placed as (
    select
        *,
        if(
            direction = 'xx-en',
            row_number() over (partition by lang, task, direction, split order by id desc),
            row_number() over (partition by lang, task, direction, split order by id)
        ) as place
    from instructions
)
select
    placed.id,
    placed.lang,
    placed.task,
    placed.direction,
    placed.instruction,
    placed.input,
    placed.output,
    placed.corpus,
    placed.split,
    placed.row_sha256
from placed
left join quotas on quotas.lang = placed.lang and quotas.direction = placed.direction
where
    placed.task <> 'translation'
    or placed.place <= if(placed.split = 'train', quotas.rows, ceil(quotas.rows * $validation))
order by placed.id, placed.lang, placed.task, placed.direction
