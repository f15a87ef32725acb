-- A row is the SHA-256 of one published row, as compact JSON of its columns in their order, in the order of the file.
select sha256(to_json(published)) as row_sha256
from published
