-- A row is one instruction in a language; rejected_by says what keeps it in English: a row of exempt.toml, or a guard.
with pieces as (
    -- A piece of a frame, and the segment that follows it but for the last.
    select
        id,
        field,
        unnest(frame) as piece,
        unnest(list_append(segments, null)) as en,
        unnest(range(len(frame))) as place,
        len(segments) as last
    from segments
),
told as (
    select
        id,
        field,
        place,
        if(piece = ' ' and not $spaced and place not in (0, last), '', piece) || coalesce(text, '') as text,
        if(text is null, stopped_by, null) as stopped_by
    from pieces
    left join translations using (en)
),
filled as (
    select
        id,
        string_agg(text, '' order by place) filter (field = 'instruction') as instruction,
        string_agg(text, '' order by place) filter (field = 'input') as input,
        string_agg(text, '' order by place) filter (field = 'output') as output,
        arg_min(stopped_by, (list_position(['instruction', 'input', 'output'], field), place))
            filter (stopped_by is not null) as stopped_by
    from told
    group by id
),
exempted as (
    select id, any_value(exempt) as exempt, sum(len(segments)) > 0 as says_something
    from segments
    group by id
),
judged as (
    select
        records.* exclude (rejected_by),
        filled.instruction as told_instruction,
        filled.input as told_input,
        filled.output as told_output,
        case
            when not says_something then if(exempt = '', 'nothing_said', exempt)
            when stopped_by is not null then stopped_by
            -- In capitals and back, ς is σ.
            when filled.input <> '' and lower(upper(filled.input)) = lower(upper(filled.output))
                and lower(upper(records.input)) <> lower(upper(records.output)) then 'input_is_output'
        end as rejected_by
    from records
    join filled using (id)
    join exempted using (id)
    where records.rejected_by is null
)
select
    id,
    $lang as lang,
    if(rejected_by is null, told_instruction, instruction) as instruction,
    if(rejected_by is null, told_input, input) as input,
    if(rejected_by is null, told_output, output) as output,
    corpus,
    line,
    record_key,
    rejected_by
from judged
order by line
