-- A row is one example of one config that is within the allocation, in the order of its key.
with placed as (
    select
        *,
        row_number() over (partition by lang, task, direction, split order by id) as place_in_range
    from examples
),
ranked as (
    -- Rows of the same kind before the range, and in all ranges, tell the place among all.
    select
        placed.*,
        if(direction = 'xx-en', total - num_before - place_in_range + 1, num_before + place_in_range) as rank
    from placed
    join places using (lang, task, direction, split)
)
select
    ranked.id,
    ranked.lang,
    ranked.task,
    ranked.direction,
    ranked.instruction,
    ranked.input,
    ranked.output,
    ranked.messages,
    ranked.corpus,
    ranked.split,
    ranked.row_sha256
from ranked
left join allocation on allocation.lang = ranked.lang and allocation.direction = ranked.direction
where
    ranked.task <> 'translation'
    or ranked.rank <= if(ranked.split = 'train', allocation.num_rows, ceil(allocation.num_rows * $validation))
order by ranked.id, ranked.lang, ranked.task, ranked.direction
