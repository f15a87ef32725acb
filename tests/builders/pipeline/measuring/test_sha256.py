"""SHA-256 in compiled code: the digests of hashlib, for texts of any length side by side."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow


def digests(texts, is_read):
    import numpy as np

    from builders.pipeline.measuring.sha256 import hash_texts

    ends = np.cumsum([0, *map(len, texts)]).astype(np.int32)
    hashes = np.zeros((len(texts), 4), np.uint32)
    hash_texts(np.frombuffer(b"".join(texts), np.uint8), ends, np.array(is_read, np.bool_), hashes)
    return [bytes(row) for row in hashes]


@settings(deadline=None)
@given(st.lists(st.tuples(st.binary(max_size=300), st.booleans()), min_size=1, max_size=40))
def test_digests_of_any_texts_are_those_of_hashlib(texts):
    given_texts, is_read = zip(*texts, strict=True)
    expected = [hashlib.sha256(text).digest()[:16] if read else bytes(16) for text, read in texts]
    assert digests(given_texts, is_read) == expected


def test_digests_of_every_length_up_to_six_blocks_are_those_of_hashlib():
    texts = [bytes(range(256)) * 2][:1] + [bytes([n % 256]) * n for n in range(400)] + [b"x" * (1 << 20)]
    assert digests(texts, [True] * len(texts)) == [hashlib.sha256(text).digest()[:16] for text in texts]
