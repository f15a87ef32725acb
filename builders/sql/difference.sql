-- One row: how many published rows of a config were added, removed, and changed under the same key, from `before` to `after`.
select
    count(*) filter (where before.id is null) as added,
    count(*) filter (where after.id is null) as removed,
    count(*) filter (where before.id is not null and after.id is not null and before.row_json <> after.row_json) as changed
from (select id, lang, task, direction, to_json("the row") as row_json from before as "the row") as before
full join (select id, lang, task, direction, to_json("the row") as row_json from after as "the row") as after
    using (id, lang, task, direction)
