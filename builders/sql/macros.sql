-- A row is nowhere here: these are the functions that the other files call.
-- What a text says, whatever its case, spacing and punctuation: its letters, marks and digits, in lower case (ς is σ).
-- (What is frequent goes first, by a plain search, since a replacement by regular expression costs by the match.)
create macro said(text) as regexp_replace(
    replace(replace(replace(replace(replace(lower(text), ' ', ''), ',', ''), '.', ''), '-', ''), 'ς', 'σ'),
    '[^\pL\pM\pN]+', '', 'g'
);
-- The first 128 bits of a text's SHA-256: stable across machines and versions, unlike hash().
create macro key_of(text) as left(sha256(text), 32)::uuid;
-- The parts of a text that are digits and what may stand between them, with a bar between parts.
create macro digits_in(text) as array_to_string(
    regexp_extract_all(text, '[0-9٠-٩۰-۹०-९０-９][0-9٠-٩۰-۹०-९０-９.,٬٫ \x{00A0}\x{202F}]+'), '|'
);
-- Digits as ASCII digits, without separators inside numbers.
create macro ascii_digits(digits) as regexp_replace(
    translate(
        digits,
        '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९０１２３４５６７８９',
        '0123456789012345678901234567890123456789'
    ),
    '(\d)[.,٬٫ \x{00A0}\x{202F}](\d)', '\1\2', 'g'
);
-- The numbers in a text of two digits and more.
create macro numbers_in(text) as regexp_extract_all(ascii_digits(digits_in(text)), '\d{2,}');
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
    contains(text, '&') and regexp_matches(text, '(?i)&(?:quot|apos|nbsp|lt|gt|amp|#39);'),
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
        text, '(?i)&quot;', '"', 'g'), '(?i)&apos;|&#39;', '''', 'g'), '(?i)&nbsp;', ' ', 'g'),
        '(?i)&lt;', '<', 'g'), '(?i)&gt;', '>', 'g'), '(?i)&amp;', '&', 'g'),
    text
);
-- A text without white space (also the wide, narrow and invisible kinds) at its ends.
create macro trimmed(text) as if(
    regexp_matches(text, '^[\s\pZ\x{200B}\x{2060}\x{FEFF}]')
    or regexp_matches(text, '[\s\pZ\x{200B}\x{2060}\x{FEFF}]$'),
    regexp_replace(
        text, '^[\s\pZ\x{200B}\x{2060}\x{FEFF}]+|[\s\pZ\x{200B}\x{2060}\x{FEFF}]+$', '', 'g'
    ),
    text
);
-- Whether a text holds anything that `damaged` or `marked_up` look for: one search instead of two.
create macro is_odd(text) as regexp_matches(
    text,
    '[\x00-\x08\x0B-\x1F\x7F-\x{9F}\x{FFFD}{}\[\]<]|\|\||https?:|[\x{C2}-\x{F4}][\x{A0}-\x{BF}]|â€'
);
-- U+FFFD, control characters, and UTF-8 bytes shown as Latin-1 or Windows-1252 characters (« and » may be quotes).
create macro damaged(text) as regexp_matches(
    text,
    '[\x{FFFD}\x00-\x08\x0B-\x1F\x7F-\x{9F}]|(?:[\x{C2}-\x{F4}][\x{A0}-\x{BF}]){2}|'
    || '[\x{C2}-\x{C5}\x{CE}-\x{D1}\x{D8}-\x{DB}][\x{A0}-\x{AA}\x{AC}-\x{BA}\x{BC}-\x{BF}]|â€[™œ˜“”¦]'
);
-- Wiki tables, templates and links, HTML tags, and texts that are nothing but a URL.
create macro marked_up(text) as regexp_matches(
    text, '\{\{|\}\}|\[\[|\]\]|\|\||</?[a-zA-Z][^<>]*>|^\PL*https?://\S+\PL*$'
);
-- How many letters and marks a text has that is all letters, marks and, if `has_digits`, digits.
create macro letters_in(said, has_digits) as if(
    has_digits, length(regexp_replace(said, '\pN+', '', 'g')), length(said)
);
