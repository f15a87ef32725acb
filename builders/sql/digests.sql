-- A row is the SHA-256 of one published row, as compact JSON of its columns in their order, in the order of the file.
-- The name of the row has a space, which no column has: the name of a column would mean that column alone.
select sha256(to_json("the row")) as row_sha256
from published as "the row"
