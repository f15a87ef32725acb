-- A row is one example of one config with an id in a range, with the key (id, lang, task, direction), in the order of the
-- key.
with pairs as (
{split_pairs}
),
placed as (
    select pairs.*, {place} as place, {total} as total
    from pairs
    {counts}
),
directed as (
    select placed.*, direction, if(direction = 'en-xx', place, total - place + 1) as rank
    from placed, unnest($directions) as directions(direction)
),
capped as (
    select *
    from directed
    where rank <= if(split = 'train', $max_pairs, ceil($max_pairs * $validation))
),
translation as (
    select
        capped.id,
        capped.lang,
        'translation' as task,
        direction,
        replace(
            replace(
                prompts.text,
                '{source}',
                if(direction = 'en-xx', 'English', languages.name)
            ),
            '{target}',
            if(direction = 'en-xx', languages.name, 'English')
        ) as instruction,
        if(direction = 'en-xx', en, xx) as input,
        if(direction = 'en-xx', xx, en) as output,
        null as messages,
        corpus,
        split
    from capped
    join languages on languages.code = capped.lang
    join prompts on prompts.number = ('0x' || left(sha256(concat($seed, id)), 8))::bigint % $num_prompts
),
in_all_languages as (
    -- Instructions that exist in every language of the config and in English.
    select id
    from instructions
    where reject_reason is null and id >= $first_id and id < $after_id
    group by id
    having count(distinct lang) > (select count(*) from languages)
),
instruction_rows as (
    select
        id,
        lang,
        if(instruction = '', 'text', 'instruction') as task,  -- a document has no instruction
        '' as direction,
        instruction,
        input,
        output,
        messages,
        corpus,
        if(
            sha256(concat($seed, prompt_hash)) < $validation_below,
            'validation',
            'train'
        ) as split
    from instructions
    where reject_reason is null and id >= $first_id and id < $after_id
        and (instruction = '' or list_contains($instruction_langs, if(lang = 'en', 'en', 'xx')))
        and (not $benchmark or id in (from in_all_languages))
),
combined as (
    from translation
    union all by name
    from instruction_rows
)
select
    id,
    lang,
    task,
    direction,
    instruction,
    input,
    output,
    messages,
    corpus,
    split,
    sha256(to_json(struct_pack(id, lang, task, direction, instruction, input, output, corpus, split))) as row_sha256
from combined
order by id, lang, task, direction
