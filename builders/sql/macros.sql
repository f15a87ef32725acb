-- A row is nowhere here: these are the functions that the other files call.
-- What a text says, whatever its case, spacing and punctuation: its letters, marks and digits, in lower case (ς is σ).
create macro said(text) as regexp_replace(replace(lower(text), 'ς', 'σ'), '[^\pL\pM\pN]+', '', 'g');
-- The first 128 bits of a text's SHA-256: stable across machines and versions, unlike hash().
create macro key_of(text) as left(sha256(text), 32)::uuid;
-- A text's digits as ASCII digits, without separators inside numbers.
create macro ascii_digits(text) as regexp_replace(
    translate(
        text,
        '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९０１２３４５６７８９',
        '0123456789012345678901234567890123456789'
    ),
    '(\d)[.,٬٫ \x{00A0}\x{202F}](\d)', '\1\2', 'g'
);
-- The numbers in a text of two digits and more.
create macro numbers_in(text) as if(
    regexp_matches(text, '\pN\PL?\pN'), regexp_extract_all(ascii_digits(text), '\d{2,}'), []
);
-- What else a number may be written as: without its zeros (15 million), and as the year of a century (90 for 1890).
create macro spellings(numbers) as list_concat(
    numbers,
    [rtrim(number, '0') for number in numbers],
    [right(number, 2) for number in numbers if not ends_with(number, '00')]
);
-- How many words of a text are English function words that no other language of the table has.
create macro english_words(text) as len(regexp_extract_all(
    lower(text), '(?:^|[^\pL])(the|of|and|which|with|from|that|this|were|have|has|been|their)(?:$|[^\pL])'
));
-- A text with left-over HTML entities turned into what they stand for.
create macro repaired(text) as if(
    regexp_matches(text, '(?i)&(?:quot|apos|nbsp|lt|gt|amp|#39);'),
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        text, '(?i)&quot;', '"', 'g'), '(?i)&apos;|&#39;', '''', 'g'), '(?i)&nbsp;', ' ', 'g'),
        '(?i)&lt;', '<', 'g'), '(?i)&gt;', '>', 'g'), '(?i)&amp;', '&', 'g'),
    text
);
