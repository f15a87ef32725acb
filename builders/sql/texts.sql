-- A row is a line of a part, with both texts as they are measured; null if an early filter rejects it.
with cleaned as (
    select
        corpus,
        lang,
        line_number,
        strip_whitespace(coalesce(en, '')) as en,
        strip_whitespace(coalesce(xx, '')) as xx,
        margin,
        read_error
    from pairs
),
with_lengths as (
    select
        *,
        length(en) as en_length,
        length(xx) as xx_length
    from cleaned
),
with_early_reason as (
    select
        *,
        {early_reject_reason} as early_reject_reason
    from with_lengths as filter_row
)
-- (A condition would be computed before the texts are cleaned, and clean them twice.)
select
    line_number,
    if(early_reject_reason is null, en, null) as en,
    if(early_reject_reason is null, xx, null) as xx
from with_early_reason
