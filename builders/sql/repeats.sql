-- A row is a pair of a part that repeats another one or has a side with too many counterparts: of its rows in those tables
-- the first that rejects it, or else the first.
with found as (
    select 1 as rank, * from duplicates
    union all by name
    select 2 as rank, * from near_duplicates
    union all by name
    select 3 as rank, * from one_to_many
),
own as (
    select *
    from found
    where corpus = $corpus and line_number between $first and $last
),
chosen as (
    select
        line_number,
        arg_min(
            struct_pack(matched_corpus, matched_line_number, similarity, reject_reason),
            struct_pack(is_kept := reject_reason is null, rank := rank, reason := reject_reason)
        ) as match
    from own
    group by line_number
)
select $corpus as corpus, line_number, unnest(match)
from chosen
order by line_number
