-- A row is one example of one config as a conversation: the user's question and the assistant's answer, or all turns.
with conversations as (
    select
        id,
        lang,
        task,
        direction,
        coalesce(
            examples.messages,
            [
                {role: 'user', content: if(input = '', instruction, concat(instruction, chr(10), chr(10), input))},
                {role: 'assistant', content: output}
            ]
        ) as messages,
        corpus,
        split
    from examples
)
select
    id,
    lang,
    task,
    direction,
    messages,
    corpus,
    split,
    sha256(to_json(struct_pack(id, lang, task, direction, messages, corpus, split))) as row_sha256
from conversations
order by id, lang, task, direction
