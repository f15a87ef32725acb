"""One pass over the UTF-8 bytes of texts: what they are in lower case without punctuation, and counts of characters.

The functions are compiled. A text of row `n` is `text[ends[n]:ends[n + 1]]`, which must be valid UTF-8. `entries` has a
32-bit entry for each code point, which `characters.py` describes and makes.
"""

import numpy as np

from builders.pipeline.measuring.characters import (
    CLASS_BITS,
    CODE_POINT_BITS,
    IS_LETTER,
    IS_SPACE,
    IS_SPECIAL,
    NUM_SUMS,
    SUM_BITS,
)
from corpora.compiled import compiled

NUM_COUNTS = 3 * NUM_SUMS  # of a text; a sum holds three counters of SUM_BITS bits
CHUNK_BYTES = 1 << 20  # after which sums are emptied, so that no counter overflows
IS_SUSPICIOUS, HAS_TWO_DIGITS, HAS_ENGLISH_WORD, HAS_URL, HAS_SIGNS = 1, 2, 4, 8, 16  # flags of a text
CODE_POINT, CLASS, COUNTER = (1 << CODE_POINT_BITS) - 1, (1 << CLASS_BITS) - 1, (1 << SUM_BITS) - 1
# English function words that `has_english_words` in character_counts.sql searches: at most five letters, as bytes.
WORDS = tuple(int.from_bytes(word, "big") for word in b"the of and which with from that this".split())
MAX_WORD_LETTERS = 5
# Characters that are signs, in `signs_in` of macros.sql, and the last bytes of those that are signs beside a digit.
SIGNS = tuple(map(ord, "+#=<>±×÷%٪$€£¥₺₹₽"))
SEPARATORS = (*b".,:/-", 0xAB, 0xAC, 0x93, 0x92)  # ٫ ٬ – −
MIN_REPEATED, PROBE_CHARACTERS, MIN_OCCURRENCES = 20, 4, 4  # of `may_repeat`
EDGE_CHARACTERS = 25  # of the target side, which the English side may share


@compiled
def find_unclean(text, ends, entries, lengths, may_change):  # type: ignore[no-untyped-def]
    """Write the number of characters of each text, and whether stripping may change it."""
    for row in range(ends.size - 1):
        begin, end = ends[row], ends[row + 1]
        length = 0
        is_unclean = False
        for position in range(begin, end):
            length += (text[position] & 0xC0) != 0x80
        if end > begin:
            last = end - 1
            while text[last] & 0xC0 == 0x80:
                last -= 1
            is_unclean |= entries[_decode(text, begin)[0]] & IS_SPACE != 0
            is_unclean |= entries[_decode(text, last)[0]] & IS_SPACE != 0
        lengths[row] = length
        may_change[row] = is_unclean


@compiled
def count_characters(text, ends, is_read, entries, sums, find_words, norm, norm_ends, counts, flags):  # type: ignore[no-untyped-def]
    """Write the normalized text, the counts of its characters and the flags of each text that `is_read`.

    `sums[i, class]` is what a character of the class adds to the three counters of sum `i`; `norm` has room for texts
    that grow by a half.
    """
    out = 0
    norm_ends[0] = 0
    for row in range(ends.size - 1):
        counts[row, :] = 0
        flags[row] = 0
        if is_read[row]:
            flag = 0
            word = 0
            length = 0
            begin, end = ends[row], ends[row + 1]
            position = begin
            while position < end:
                stop = min(end, position + CHUNK_BYTES)
                first = 0
                second = 0
                third = 0
                while position < stop:
                    character, after = _decode(text, position)
                    entry = np.int64(entries[character])
                    if entry & IS_SPECIAL:
                        flag |= _flags_of(text, begin, position, character)
                    if find_words:
                        if entry & IS_LETTER:
                            length += 1
                            word = word << 8 | _word_byte(character)
                        elif length:
                            if length <= MAX_WORD_LETTERS and _is_english(word):
                                flag |= HAS_ENGLISH_WORD
                            length = 0
                            word = 0
                    position = after
                    kind = entry >> CODE_POINT_BITS & CLASS
                    if kind:
                        first += sums[0, kind]
                        second += sums[1, kind]
                        third += sums[2, kind]
                        out = _encode(entry & CODE_POINT, norm, out)
                for counter in range(3):
                    counts[row, counter] += first >> SUM_BITS * counter & COUNTER
                    counts[row, counter + 3] += second >> SUM_BITS * counter & COUNTER
                    counts[row, counter + 6] += third >> SUM_BITS * counter & COUNTER
            if 0 < length <= MAX_WORD_LETTERS and _is_english(word):
                flag |= HAS_ENGLISH_WORD
            flags[row] = flag
        norm_ends[row + 1] = out


@compiled
def find_shared_edges(en, en_ends, xx, xx_ends, xx_lengths, has_url, is_shared):  # type: ignore[no-untyped-def]
    """Write whether the English side contains the first or the last characters of a longer foreign side."""
    for row in range(en_ends.size - 1):
        is_shared[row] = False
        if xx_lengths[row] > EDGE_CHARACTERS and not has_url[row]:
            begin, end = xx_ends[row], xx_ends[row + 1]
            head, tail = begin, end
            for _ in range(EDGE_CHARACTERS):
                head += 1
                while xx[head] & 0xC0 == 0x80:
                    head += 1
                tail -= 1
                while xx[tail] & 0xC0 == 0x80:
                    tail -= 1
            here = en[en_ends[row] : en_ends[row + 1]]
            is_shared[row] = _contains(here, xx[tail:end]) or _contains(here, xx[begin:head])


@compiled
def _contains(text, part):  # type: ignore[no-untyped-def]
    first, last = part[0], part[-1]
    for begin in range(text.size - part.size + 1):
        if text[begin] == first and text[begin + part.size - 1] == last:
            same = 1
            while same < part.size and text[begin + same] == part[same]:
                same += 1
            if same == part.size:
                return True
    return False


@compiled
def _decode(text, position):  # type: ignore[no-untyped-def]
    """Return the character at a position, and the position after it."""
    byte = np.int64(text[position])
    if byte < 0x80:
        return byte, position + 1
    second = np.int64(text[position + 1] & 63)
    if byte < 0xE0:
        return (byte & 31) << 6 | second, position + 2
    third = np.int64(text[position + 2] & 63)
    if byte < 0xF0:
        return (byte & 15) << 12 | second << 6 | third, position + 3
    return (byte & 7) << 18 | second << 12 | third << 6 | np.int64(text[position + 3] & 63), position + 4


@compiled
def _encode(character, norm, out):  # type: ignore[no-untyped-def]
    """Write a character at `out`, and return the position after it."""
    if character < 0x80:
        norm[out] = character
        return out + 1
    last = 0x80 | character & 63
    if character < 0x800:
        norm[out] = 0xC0 | character >> 6
        norm[out + 1] = last
        return out + 2
    if character < 0x10000:
        norm[out] = 0xE0 | character >> 12
        norm[out + 1] = 0x80 | character >> 6 & 63
        norm[out + 2] = last
        return out + 3
    norm[out] = 0xF0 | character >> 18
    norm[out + 1] = 0x80 | character >> 12 & 63
    norm[out + 2] = 0x80 | character >> 6 & 63
    norm[out + 3] = last
    return out + 4


@compiled
def _flags_of(text, begin, position, character):  # type: ignore[no-untyped-def]
    """Return the flags that a special character gives its text, which depend on the bytes before it."""
    before = np.int64(text[position - 1]) if position > begin else 0
    second = np.int64(text[position - 2]) if position > begin + 1 else 0
    if 48 <= character <= 57:
        return HAS_TWO_DIGITS if 48 <= before <= 57 else HAS_SIGNS if _is_one_of(before, SEPARATORS) else 0
    if _is_foreign_digit(character):
        return HAS_SIGNS if _is_one_of(before, SEPARATORS) else 0
    signs = HAS_SIGNS if _is_one_of(character, SIGNS) else 0
    if character == 0x20AC:  # after U+00E2
        return signs | IS_SUSPICIOUS if second == 0xC3 and before == 0xA2 else signs
    if character == 47:  # /
        return HAS_URL if before == 47 and second == 58 else 0
    if character == 58:  # : after http or https
        return IS_SUSPICIOUS if before == 112 or before == 115 else 0
    if character == 124:  # ||
        return IS_SUSPICIOUS if before == 124 else 0
    if 0xA0 <= character <= 0xBF:  # after a letter that is the first byte of UTF-8 in a code page
        is_latin = second == 0xC3 and 0x82 <= before <= 0xB4  # U+00C2 to U+00F4
        is_cyrillic = second == 0xD0 and 0xA0 <= before <= 0xA1
        is_greek = second == 0xCE and 0x9E <= before <= 0x9F
        is_arabic = second == 0xD8 and 0xB7 <= before <= 0xB8
        return signs | IS_SUSPICIOUS if is_latin or is_cyrillic or is_greek or is_arabic else signs
    return signs if signs and character != 60 else signs | IS_SUSPICIOUS


@compiled
def _is_foreign_digit(character):  # type: ignore[no-untyped-def]
    """Return whether a character is a digit of Arabic, Persian or Hindi."""
    return 0x660 <= character <= 0x669 or 0x6F0 <= character <= 0x6F9 or 0x966 <= character <= 0x96F


@compiled
def _is_one_of(value, values):  # type: ignore[no-untyped-def]
    is_one = False
    for known in values:
        is_one |= value == known
    return is_one


@compiled
def find_repeats(norm, norm_ends, lengths, may_repeat):  # type: ignore[no-untyped-def]
    """Mark the texts that have the characters at their end, or those in their middle, four times or more often."""
    for row in range(norm_ends.size - 1):
        if lengths[row] >= MIN_REPEATED:
            begin, end = norm_ends[row], norm_ends[row + 1]
            tail = end
            for _ in range(PROBE_CHARACTERS):
                tail -= 1
                while norm[tail] & 0xC0 == 0x80:
                    tail -= 1
            middle = begin
            for _ in range(lengths[row] // 2 - 1):
                middle = _next(norm, middle, end)
            after = middle
            for _ in range(PROBE_CHARACTERS):
                after = _next(norm, after, end)
            if _occur_often(norm, begin, end, tail, end, middle, after):
                may_repeat[row] = True


@compiled
def _next(norm, position, end):  # type: ignore[no-untyped-def]
    """Return where the next character begins."""
    position += 1
    while position < end and norm[position] & 0xC0 == 0x80:
        position += 1
    return position


@compiled
def _occur_often(norm, begin, end, tail, tail_end, middle, middle_end):  # type: ignore[no-untyped-def]
    """Return whether one of two parts of a text, which have four bytes and more, occurs in it often, in one pass."""
    first, second = _four_bytes(norm, tail), _four_bytes(norm, middle)
    value = np.uint32(0)
    num_first, num_second = 0, 0
    after_first, after_second = begin, begin  # occurrences do not overlap
    for position in range(begin, end):
        value = np.uint32(value << np.uint32(8)) | np.uint32(norm[position])
        start = position - 3
        if value == first and start >= after_first and _is_at(norm, start, end, tail, tail_end):
            num_first += 1
            after_first = start + tail_end - tail
        if value == second and start >= after_second and _is_at(norm, start, end, middle, middle_end):
            num_second += 1
            after_second = start + middle_end - middle
    return num_first >= MIN_OCCURRENCES or num_second >= MIN_OCCURRENCES


@compiled
def _four_bytes(norm, position):  # type: ignore[no-untyped-def]
    value = np.uint32(0)
    for byte in range(4):
        value = np.uint32(value << np.uint32(8)) | np.uint32(norm[position + byte])
    return value


@compiled
def _is_at(norm, start, end, part, part_end):  # type: ignore[no-untyped-def]
    """Return whether a part of the text stands at `start` too."""
    size = part_end - part
    if start + size > end:
        return False
    same = 4
    while same < size and norm[start + same] == norm[part + same]:
        same += 1
    return same >= size


@compiled
def _word_byte(character):  # type: ignore[no-untyped-def]
    """Return an ASCII letter in lower case; ſ is an s where case does not count, and other letters are in no word."""
    if character < 0x80:
        return character | 32
    return 115 if character == 0x17F else 1


@compiled
def _is_english(word):  # type: ignore[no-untyped-def]
    is_known = False
    for known in WORDS:
        is_known |= word == known
    return is_known
