-- A row is one published example as a conversation: what a user asks, and what the assistant answers.
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
    split,
    row_sha256
from instructions
order by id, lang, task, direction
