-- A row is not made here: these are the functions that the other files call.
-- The letters, marks and digits of a text in lower case: texts that differ only in case, spacing and punctuation are equal
-- (ς is σ). Frequent characters are removed by plain searches first: a regular expression costs per match.
create macro normalize(text) as regexp_replace(
    replace(replace(replace(replace(replace(lower(text), ' ', ''), ',', ''), '.', ''), '-', ''), 'ς', 'σ'),
    '[^\pL\pM\pN]+', '', 'g'
);
-- The first 128 bits of a text's SHA-256: the same on all machines and versions, unlike hash().
create macro hash_128(text) as left(sha256(text), 32)::uuid;
-- The runs of digits and number separators of a text, joined by bars.
create macro digits_in(text) as array_to_string(
    regexp_extract_all(text, '\p{Nd}[\p{Nd}.,٬٫ \x{00A0}\x{202F}]+'), '|'
);
-- The decimal digits of other scripts as ASCII digits.
create macro other_digits(digits) as if(
    regexp_matches(digits, '[^0-9.,٬٫ \x{00A0}\x{202F}|]'),
    translate(
        digits,
        '߀߁߂߃߄߅߆߇߈߉০১২৩৪৫৬৭৮৯੦੧੨੩੪੫੬੭੮੯૦૧૨૩૪૫૬૭૮૯୦୧୨୩୪୫୬୭୮୯௦௧௨௩௪௫௬௭௮௯౦౧౨౩౪౫౬౭౮౯೦೧೨೩೪೫೬೭೮೯൦൧൨൩൪൫൬൭൮൯'
        || '෦෧෨෩෪෫෬෭෮෯๐๑๒๓๔๕๖๗๘๙໐໑໒໓໔໕໖໗໘໙༠༡༢༣༤༥༦༧༨༩၀၁၂၃၄၅၆၇၈၉႐႑႒႓႔႕႖႗႘႙០១២៣៤៥៦៧៨៩᠐᠑᠒᠓᠔᠕᠖᠗᠘᠙᥆᥇᥈᥉᥊᥋᥌᥍᥎᥏'
        || '᧐᧑᧒᧓᧔᧕᧖᧗᧘᧙᪀᪁᪂᪃᪄᪅᪆᪇᪈᪉᪐᪑᪒᪓᪔᪕᪖᪗᪘᪙᭐᭑᭒᭓᭔᭕᭖᭗᭘᭙᮰᮱᮲᮳᮴᮵᮶᮷᮸᮹᱀᱁᱂᱃᱄᱅᱆᱇᱈᱉᱐᱑᱒᱓᱔᱕᱖᱗᱘᱙꘠꘡꘢꘣꘤꘥꘦꘧꘨꘩꣐꣑꣒꣓꣔꣕꣖꣗꣘꣙'
        || '꤀꤁꤂꤃꤄꤅꤆꤇꤈꤉꧐꧑꧒꧓꧔꧕꧖꧗꧘꧙꧰꧱꧲꧳꧴꧵꧶꧷꧸꧹꩐꩑꩒꩓꩔꩕꩖꩗꩘꩙꯰꯱꯲꯳꯴꯵꯶꯷꯸꯹',
        repeat('0123456789', 32)
    ),
    digits
);
-- Digits as ASCII digits, without separators inside numbers.
create macro ascii_digits(digits) as regexp_replace(
    other_digits(translate(
        digits,
        '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९０１２３４５６７８９',
        '0123456789012345678901234567890123456789'
    )),
    '(\d)[.,٬٫ \x{00A0}\x{202F}](\d)', '\1\2', 'g'
);
-- The numbers of at least two digits in a text.
create macro numbers_in(text) as regexp_extract_all(ascii_digits(digits_in(text)), '\d{2,}');
-- Whether an English text has numbers that translations convert: imperial units, times of twelve hours, centuries.
create macro has_converted_numbers(text) as regexp_matches(
    text,
    '(?i)\d[\d.,¼½¾]*[\s-]*(?:feet|foot|ft|miles?|mph|yards?|inch(?:es)?|pounds?|lbs?|ounces?|acres?|gallons?'
    || '|°\s?F|degrees|fahrenheit|[ap]\.?m\.?)(?:$|[^\pL])|\d00''?s(?:$|[^\pL])'
);
-- The numbers, and other spellings of them: without trailing zeros (15 million), and as years of a century (90 for 1890).
create macro number_variants(numbers) as list_concat(
    numbers,
    [rtrim(number, '0') for number in numbers],
    [right(number, 2) for number in numbers if not ends_with(number, '00')]
);
-- A text without runs of capitalized words, such as titles of works and names: English ones are kept in translations.
create macro without_titles(text) as regexp_replace(
    text,
    '\p{Lu}[\pL''’]*(?:[\s,:&-]+(?:(?:of|the|and|with|from|in|a|an|to|for|on|at|by|that|this|which)\s+)*\p{Lu}[\pL''’]*)+',
    ' ', 'g'
);
-- Whether a normalized text begins or ends with text of another one.
create macro copies_edge(en_norm, xx_norm) as length(xx_norm) > 25 and (
    contains(en_norm, right(xx_norm, 25)) or contains(en_norm, left(xx_norm, 25))
);
-- The number of English function words in a text: those of `words`, which the other language does not use.
create macro english_words(text, words) as len(regexp_extract_all(
    lower(text), '(?:^|[^\pL])(' || words || ')(?:$|[^\pL])'
));
-- Whether a text is an English title and little else; a list of names has none of these words.
create macro is_english_title(text) as length(without_titles(text)) * 3 < length(text) and len(regexp_extract_all(
    lower(text),
    '\b(?:the|of|in|on|to|for|from|with|this|that|these|is|are|was|be|do|does|did|will|can|could|must|if|so|as|not'
    || '|you|your|he|she|it|we|they|who|what|when|where|why|how)\b'
)) >= 2;
-- The target side without English titles and names; with them where the English side is but a title: a translation that
-- repeats it, beside a note such as the day on which a page was read, says nothing in its own language.
create macro without_foreign_titles(en, xx) as if(is_english_title(en), xx, without_titles(xx));
-- Whether a label counts as a language; where the model does not know the language, any label but English.
create macro is_expected(label, labels) as if(len(labels) > 0, list_contains(labels, label), label <> 'en');
-- A text without white space at its ends, wide, narrow and invisible spaces included.
create macro strip_whitespace(text) as if(
    regexp_matches(text, '^[\s\pZ\x{200B}\x{2060}\x{FEFF}]')
    or regexp_matches(text, '[\s\pZ\x{200B}\x{2060}\x{FEFF}]$'),
    regexp_replace(
        text, '^[\s\pZ\x{200B}\x{2060}\x{FEFF}]+|[\s\pZ\x{200B}\x{2060}\x{FEFF}]+$', '', 'g'
    ),
    text
);
-- Whether `has_mojibake` or `has_markup` may be true for a text: one search instead of two.
create macro needs_check(text) as regexp_matches(
    text,
    '[\x00-\x08\x0B-\x1F\x7F-\x{9F}\x{FFFD}{}\[\]<\x{102}\x{139}\x{9286}\x{951B}\x{951F}]'
    || '|[\x{E000}-\x{F8FF}\x{FDD0}-\x{FDEF}\x{FFFE}\x{FFFF}]|\|\||https?:|[\x{C2}-\x{F4}РСΞΟطظ][\x{A0}-\x{BF}]|â€'
);
-- Whether a text has U+FFFD, control characters, private characters, or UTF-8 decoded as a code page: Latin-1 or
-- Windows-1252 (« and » may be quotes), 1251 (Cyrillic), 1253 (Greek), 1256 (Arabic), 1250 (Central Europe), GBK (Chinese).
create macro has_mojibake(text) as regexp_matches(
    text,
    '[\x{FFFD}\x00-\x08\x0B-\x1F\x7F-\x{9F}\x{E000}-\x{F8FF}\x{FDD0}-\x{FDEF}\x{FFFE}\x{FFFF}]'
    || '|(?:[\x{C2}-\x{F4}][\x{A0}-\x{BF}]){2}'
    || '|[\x{C2}-\x{C5}\x{CE}-\x{D1}\x{D8}-\x{DB}][\x{A0}-\x{AA}\x{AC}-\x{BA}\x{BC}-\x{BF}]|â€[™œ˜“”¦]'
    || '|[\x{E0}-\x{EF}][\x{A0}-\x{AA}\x{AC}-\x{BA}\x{BC}-\x{BF}][\x{A1}-\x{BF}‚ƒ„†‡ˆ‰Š‹ŒŽ•˜™š›œžŸ]'
    || '|á»[\x{A1}-\x{AA}\x{AC}-\x{BA}\x{BC}-\x{BF}ƒ†‡ˆ‰Š‹ŒŽ•˜™š›œžŸ]'
    || '|[РС][\x{A0}-\x{BF}][РС]|[ΞΟ][\x{A0}-\x{BF}][ΞΟ]|[طظ][\x{A0}-\x{BF}][طظ]'
    || '|[ĂĹ][€‚„…†‡‰‹‘’“”•™š›śťžź\x{A0}ˇ˘¤¦§¨©¬\x{AD}®°±˛ł´µ¶·¸ą˝ľżĽ]|锟斤拷|[锛銆]\S'
);
-- Whether a Turkish text was written in Windows-1254 and read as Latin-1: it has þ, ð or ý, and none of ş, ğ and ı.
create macro has_turkish_mojibake(text) as regexp_matches(text, '[þðýÞÐÝ]') and not regexp_matches(text, '[şğıŞĞİ]');
-- Whether a text has wiki tables, templates or links, or HTML tags, or is only a URL.
create macro has_markup(text) as regexp_matches(
    text, '\{\{|\}\}|\[\[|\]\]|\|\||</?[a-zA-Z][^<>]*>|^\PL*https?://\S+\PL*$'
);
-- Numbers without separators of thousands, with a point before decimals, - within a range and ~ before a negative number.
create macro canonical_numbers(text) as translate(
    regexp_replace(regexp_replace(regexp_replace(
        text, '([0-9٠-٩۰-۹०-९])[,.٬''’ \x{A0}\x{202F}]([0-9٠-٩۰-۹०-९]{3})\b', '\1\2', 'g'),
        '([0-9٠-٩۰-۹०-९])[,.٬''’ \x{A0}\x{202F}]([0-9٠-٩۰-۹०-९]{3})\b', '\1\2', 'g'),
        '([\s\x{A0}(\[])[−–-]([0-9٠-٩۰-۹०-९])', '\1~\2', 'g'),
    ',٫–−٪', '..--%'
);
-- Signs and numbers joined by spaces; empty if they are whole numbers only, which normalized texts have too.
create macro signs_of(joined) as if(regexp_full_match(joined, '[0-9٠-٩۰-۹०-९ ]*'), '', joined);
-- What a text says beside its letters and digits: its numbers, if one has a decimal separator, a sign, a range or a colon,
-- and the signs of C++, C#, currencies and sums; empty if nothing. Separators of thousands say nothing.
create macro signs_in(text) as if(
    regexp_matches(text, '[0-9٠-٩۰-۹०-९][.,٫٬:/–−-][0-9٠-٩۰-۹०-९]|[−–-][0-9٠-٩۰-۹०-९]|[+#=<>±×÷%٪$€£¥₺₹₽]'),
    signs_of(array_to_string(regexp_extract_all(canonical_numbers(text),
        '~?[0-9٠-٩۰-۹०-९]+(?:[.:/-][0-9٠-٩۰-۹०-९]+)*|[+#=<>±×÷%$€£¥₺₹₽]'
    ), ' ')),
    ''
);
-- Whether a text is in capital letters.
create macro is_in_capitals(text) as regexp_matches(text, '^[^\p{Ll}\p{Lu}]*\p{Lu}[^\p{Ll}]*$');
-- Whether a part is in a text at least four times.
create macro occurs_often(text, part) as strlen(text) - strlen(replace(text, part, '')) >= 4 * strlen(part);
-- Whether the four characters at the end of a normalized text, or those in its middle, are in it four times.
create macro may_repeat(norm) as if(
    length(norm) >= 20, occurs_often(norm, right(norm, 4)) or occurs_often(norm, substr(norm, length(norm) // 2, 4)), false
);
-- The share of a normalized text that is n-grams of six characters which it has at least four times: the same phrase over
-- and over, as translation models write it.
create macro repeated_share(norm) as list_sum([
    if(occurrences >= 4, occurrences, 0)
    for occurrences in map_values(list_aggregate(
        [substr(norm, i, 6) for i in range(1, length(norm) - 4)], 'histogram'
    ))
]) / (length(norm) - 5);
-- The number of letters and marks of a normalized text; `has_digits` says whether it has digits too.
create macro count_letters(norm, has_digits) as if(
    has_digits, length(regexp_replace(norm, '\pN+', '', 'g')), length(norm)
);
-- The hashes of the n-grams of characters of both normalized sides of a pair, each once.
create macro pair_ngrams(en_norm, xx_norm, english_n, foreign_n) as list_distinct(list_concat(
    [hash('en', substr(en_norm, i, english_n)) for i in range(1, length(en_norm) - english_n + 2)],
    [hash('xx', substr(xx_norm, i, foreign_n)) for i in range(1, length(xx_norm) - foreign_n + 2)]
));
