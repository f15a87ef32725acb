-- A row is a line of a part that no early filter rejects, with both texts as they are measured.
with cleaned as (
    select
        corpus,
        lang,
        line_number,
        unescape_html(strip_whitespace(coalesce(en, ''))) as en,
        unescape_html(strip_whitespace(coalesce(xx, ''))) as xx,
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
)
select line_number, en, xx
from with_lengths as filter_row
where {early_reject_reason} is null
