-- A row is one instruction in a language; reject_reason is the quality check or do-not-translate rule that keeps
-- it in English.
with parts as (
    -- A part of a skeleton, and the segment that follows it; none follows the last part.
    select
        id,
        field,
        turn,
        unnest(skeleton) as part,
        unnest(list_append(segments, null)) as en,
        unnest(range(len(skeleton))) as number,
        len(segments) as last
    from segments
),
translated as (
    select
        id,
        field,
        turn,
        number,
        if(part = ' ' and not $spaced and number not in (0, last), '', part) || coalesce(text, '') as text,
        if(text is null, failed_check, null) as failed_check
    from parts
    left join translations using (en)
),
merged as (
    select
        id,
        string_agg(text, '' order by number) filter (field = 'instruction') as instruction,
        string_agg(text, '' order by number) filter (field = 'input') as input,
        string_agg(text, '' order by number) filter (field = 'output') as output,
        arg_min(failed_check, (list_position(['instruction', 'input', 'output'], field), turn, number))
            filter (failed_check is not null) as failed_check
    from translated
    group by id
),
contents as (
    -- A turn of a conversation.
    select
        id,
        turn,
        string_agg(text, '' order by number) as content
    from translated
    where turn is not null
    group by id, turn
),
conversations as (
    select
        contents.id,
        list({role: instructions.messages[turn].role, content: content} order by turn) as messages,
        arg_min(content, turn) filter (instructions.messages[turn].role = 'user') as first_question
    from contents
    join instructions on instructions.id = contents.id and instructions.reject_reason is null
    group by contents.id
),
rules as (
    select id, any_value(do_not_translate) as do_not_translate, sum(len(segments)) > 0 as has_segments
    from segments
    group by id
),
checked as (
    select
        instructions.* exclude (reject_reason),
        if(conversations.messages is null, merged.instruction, first_question) as translated_instruction,
        if(conversations.messages is null, merged.input, '') as translated_input,
        if(conversations.messages is null, merged.output, conversations.messages[-1].content) as translated_output,
        conversations.messages as translated_messages,
        case
            when not has_segments then if(do_not_translate = '', 'no_text', do_not_translate)
            when failed_check is not null then failed_check
            -- Upper and lower case together: ς and σ are equal then.
            when conversations.messages is null and merged.input <> ''
                and lower(upper(merged.input)) = lower(upper(merged.output))
                and lower(upper(instructions.input)) <> lower(upper(instructions.output)) then 'input_equals_output'
        end as reject_reason
    from instructions
    join merged using (id)
    join rules using (id)
    left join conversations using (id)
    where instructions.reject_reason is null
)
select
    id,
    $lang as lang,
    if(reject_reason is null, translated_instruction, instruction) as instruction,
    if(reject_reason is null, translated_input, input) as input,
    if(reject_reason is null, translated_output, output) as output,
    if(reject_reason is null, translated_messages, messages) as messages,
    corpus,
    line_number,
    prompt_hash,
    reject_reason
from checked
order by line_number
