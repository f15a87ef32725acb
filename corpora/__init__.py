"""What exists upstream, and what all rooms share.

catalog: corpora and languages as rows. in_memory: corpora from tables in memory. download: files of corpora, verified.
reading: rows from files. language_id: the language of a text. hub: the client of the Hugging Face Hub. endpoint: the
client of OpenAI-compatible servers. tables: strict rows from TOML, CSV and YAML. extensions: the user's own tables.
errors, files, urls, progress, messages, cli, options, arguments, project, lazy_names. README.md says how to add a
corpus, a language or a format.
"""
