-- A row is one instruction in a language; reject_reason is the check, or the row of do_not_translate.toml, that keeps
-- it in English.
with pieces as (
    -- A piece of a frame, and the segment that follows it but for the last.
    select
        id,
        field,
        unnest(frame) as piece,
        unnest(list_append(segments, null)) as en,
        unnest(range(len(frame))) as number,
        len(segments) as last
    from segments
),
translated as (
    select
        id,
        field,
        number,
        if(piece = ' ' and not $spaced and number not in (0, last), '', piece) || coalesce(text, '') as text,
        if(text is null, stopped_by, null) as stopped_by
    from pieces
    left join translations using (en)
),
filled as (
    select
        id,
        string_agg(text, '' order by number) filter (field = 'instruction') as instruction,
        string_agg(text, '' order by number) filter (field = 'input') as input,
        string_agg(text, '' order by number) filter (field = 'output') as output,
        arg_min(stopped_by, (list_position(['instruction', 'input', 'output'], field), number))
            filter (stopped_by is not null) as stopped_by
    from translated
    group by id
),
exempted as (
    select id, any_value(exempt) as exempt, sum(len(segments)) > 0 as says_something
    from segments
    group by id
),
checked as (
    select
        instructions.* exclude (reject_reason),
        filled.instruction as translated_instruction,
        filled.input as translated_input,
        filled.output as translated_output,
        case
            when not says_something then if(exempt = '', 'nothing_said', exempt)
            when stopped_by is not null then stopped_by
            -- Upper and lower case together: ς and σ are equal then.
            when filled.input <> '' and lower(upper(filled.input)) = lower(upper(filled.output))
                and lower(upper(instructions.input)) <> lower(upper(instructions.output)) then 'input_is_output'
        end as reject_reason
    from instructions
    join filled using (id)
    join exempted using (id)
    where instructions.reject_reason is null
)
select
    id,
    $lang as lang,
    if(reject_reason is null, translated_instruction, instruction) as instruction,
    if(reject_reason is null, translated_input, input) as input,
    if(reject_reason is null, translated_output, output) as output,
    corpus,
    line_number,
    prompt_hash,
    reject_reason
from checked
order by line_number
