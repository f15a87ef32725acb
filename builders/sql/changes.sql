-- A row is a published row that differs between two releases: its key, and the row in each of them as JSON.
select id, lang, task, direction, before.row_json as before_json, after.row_json as after_json
from (select id, lang, task, direction, to_json("the row") as row_json from before as "the row") as before
full join (select id, lang, task, direction, to_json("the row") as row_json from after as "the row") as after
    using (id, lang, task, direction)
where before.row_json is distinct from after.row_json
order by (before.row_json is null)::int + (after.row_json is null)::int, id, lang, task, direction
limit $limit
