-- A row is a pair of the sample of a language that one half of it teaches, in the order of digests.
select corpus, digest, en, xx
from alignment_tokens
where digest < $sample_end and digest % 2 = $half
order by digest, corpus, line_number
