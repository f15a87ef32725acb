-- A row is one published example as a conversation: what a user asks, and what the assistant answers.
with conversations as (
    select
        id,
        lang,
        task,
        direction,
        [
            {role: 'user', content: if(input = '', instruction, concat(instruction, chr(10), chr(10), input))},
            {role: 'assistant', content: output}
        ] as messages,
        corpus,
        split
    from instructions
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
