-- A row is one published example of one config, keyed by (id, lang, task, direction), in the order of that key.
with shared as (
    -- English sentences with a translation that other English sentences have too: never in validation.
    select distinct en_key
    from bitext
    semi join (
        select xx_key
        from bitext
        group by xx_key
        having min(en_key) <> max(en_key)
    ) using (xx_key)
),
pairs as (
    select
        bitext.*,
        if(
            sha256(concat($seed, en_key::varchar)) < $validation_below and en_key not in (from shared),
            'validation',
            'train'
        ) as split
    from bitext
),
directed as (
    select *, 'en-xx' as direction, row_number() over (partition by lang, split order by id) as place
    from pairs
    where list_contains($directions, 'en-xx')
    union all
    select *, 'xx-en' as direction, row_number() over (partition by lang, split order by id desc) as place
    from pairs
    where list_contains($directions, 'xx-en')
),
capped as (
    select *
    from directed
    where place <= if(split = 'train', $max_pairs, ceil($max_pairs * $validation))
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
        corpus,
        split
    from capped
    join languages on languages.code = capped.lang
    join prompts on prompts.number = ('0x' || left(sha256(concat($seed, id)), 8))::bigint % $num_prompts
),
everywhere as (
    -- Records in every language of the config and in English.
    select id
    from records
    where rejected_by is null
    group by id
    having count(distinct lang) > (select count(*) from languages)
),
answered as (
    select
        id,
        lang,
        if(instruction = '', 'text', 'instruction') as task,  -- a document asks nothing
        '' as direction,
        instruction,
        input,
        output,
        corpus,
        if(
            sha256(concat($seed, record_key)) < $validation_below,
            'validation',
            'train'
        ) as split
    from records
    where rejected_by is null
        and (instruction = '' or list_contains($instruction_langs, if(lang = 'en', 'en', 'xx')))
        and (not $benchmark or id in (from everywhere))
),
examples as (
    from translation
    union all by name
    from answered
)
select
    id,
    lang,
    task,
    direction,
    instruction,
    input,
    output,
    corpus,
    split,
    sha256(to_json(struct_pack(id, lang, task, direction, instruction, input, output, corpus, split))) as row_sha256
from examples
order by id, lang, task, direction
