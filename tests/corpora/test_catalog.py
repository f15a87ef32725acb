"""The catalogue: rows of what exists upstream, loaded strictly."""

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from corpora.catalog import HERE, Corpus, language, languages, load_catalog
from corpora.errors import InputError, unknown
from corpora.extensions import Extensions, use_extensions
from corpora.reading import READERS

CATALOG = load_catalog()
GOOD = {
    "title": '"Mine"',
    "kind": '"bitext"',
    "version": '"1"',
    "format": '"moses-zip"',
    "url": '"https://example.org/{pair}.zip"',
    "langs": '["el", "hi"]',
    "licence": '"cc0-1.0"',
}


def table(name: str = "mine", **changes: str | None) -> str:
    """A table of a catalogue in TOML; a value of None leaves the key out."""
    values = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    return f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A user's folder of tables, in use."""
    with use_extensions(Extensions((tmp_path,))):
        yield tmp_path


@pytest.fixture
def load(folder: Path) -> Callable[[str], Mapping[str, Corpus]]:
    """The catalogue with a user's table of this text."""

    def run(text: str) -> Mapping[str, Corpus]:
        (folder / "corpora.toml").write_text(text, encoding="utf-8")
        return load_catalog()

    return run


def existing(corpus):
    return [lang for lang in languages() if corpus.has(lang)]


@pytest.mark.parametrize("corpus", CATALOG.values(), ids=lambda corpus: corpus.id)
def test_every_url_holds_the_pair_or_the_code_where_it_should(corpus):
    for lang in existing(corpus):
        place = corpus.location(lang)
        assert place.startswith("https://")
        assert not re.search(r"[{}\s]", place)
        code = corpus.upstream_code(lang)
        if "{pair}" in corpus.url:
            assert "-".join(sorted((corpus.upstream_code("en"), code))) in place
        if "{code}" in corpus.url:
            assert re.search(rf"\b{code}\b", place)
    if corpus.kind == "bitext":
        assert "{pair}" in corpus.url, "a file for each pair of languages"
    codes = {corpus.upstream_code(lang) for lang in existing(corpus)}  # variants share files
    assert len({corpus.location(lang) for lang in existing(corpus)}) == (len(codes) if "{" in corpus.url else 1)


@pytest.mark.parametrize("corpus", CATALOG.values(), ids=lambda corpus: corpus.id)
def test_every_corpus_has_what_a_release_states(corpus):
    assert corpus.format in READERS[corpus.kind]
    assert corpus.title
    assert corpus.licence
    assert corpus.homepage.startswith("https://")
    assert corpus.citation.strip().startswith("@")
    assert corpus.citation.count("{") == corpus.citation.count("}")
    assert {*corpus.listed_langs, *corpus.num_rows, *corpus.codes} <= set(languages())
    assert corpus.licence_note or corpus.licence != "other"


@pytest.mark.parametrize(
    ("corpus", "lang", "url"),
    [
        ("wikimatrix", "el", "https://dl.fbaipublicfiles.com/laser/WikiMatrix/v1/WikiMatrix.el-en.tsv.gz"),
        ("wikimatrix", "vi", "https://dl.fbaipublicfiles.com/laser/WikiMatrix/v1/WikiMatrix.en-vi.tsv.gz"),
        ("news-commentary", "ar", "https://object.pouta.csc.fi/OPUS-News-Commentary/v16/moses/ar-en.txt.zip"),
        ("news-commentary", "zh", "https://object.pouta.csc.fi/OPUS-News-Commentary/v16/moses/en-zh.txt.zip"),
        ("xquad", "hi", "https://raw.githubusercontent.com/google-deepmind/xquad/master/xquad.hi.json"),
    ],
)
def test_location_is_upstream_s_url(corpus, lang, url):
    assert CATALOG[corpus].location(lang) == url


def test_news_commentary_does_not_exist_in_greek_turkish_and_vietnamese():
    langs = ("ar", "el", "hi", "tr", "vi", "zh", "zh-Hant")
    assert [lang for lang in langs if not CATALOG["news-commentary"].has(lang)] == ["el", "tr", "vi"]


def test_mlqa_does_not_exist_in_greek_and_turkish_and_no_bitext_in_english():
    assert {lang for lang in ("ar", "el", "hi", "tr", "vi", "zh") if not CATALOG["mlqa"].has(lang)} == {"el", "tr"}
    assert not any(corpus.has("en") for corpus in CATALOG.values() if corpus.kind == "bitext")
    assert CATALOG["alpaca"].has("en")
    assert not CATALOG["alpaca"].has("el")


def test_codes_of_languages_are_those_of_flores():
    with (HERE / "languages.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert [row["code"] for row in rows] == list(languages())
    for row in rows:
        assert re.fullmatch(r"[a-z]{3}", row["iso639_3"])
        assert re.fullmatch(r"([a-z]{3}_[A-Z][a-z]{3})?", row["flores"])
        assert re.fullmatch(r"([a-z]{3}(_[a-z]+)?)?", row["flores101"])


@pytest.mark.parametrize(
    ("code", "name", "flores", "flores101"),
    [
        ("ar", "Arabic", "arb_Arab", "ara"),
        ("el", "Greek", "ell_Grek", "ell"),
        ("hi", "Hindi", "hin_Deva", "hin"),
        ("tr", "Turkish", "tur_Latn", "tur"),
        ("vi", "Vietnamese", "vie_Latn", "vie"),
        ("zh", "Chinese", "zho_Hans", "zho_simpl"),
        ("en", "English", "eng_Latn", "eng"),
    ],
)
def test_codes_of_the_paper_s_languages(code, name, flores, flores101):
    found = language(code)
    assert (found.name, found.flores, found.flores101) == (name, flores, flores101)
    assert found.code in found.labels


def test_upstream_code_of_a_language_is_in_the_column_that_the_corpus_names():
    assert CATALOG["flores101"].upstream_code("zh") == "zho_simpl"
    assert CATALOG["flores200"].upstream_code("zh") == "zho_Hans"
    assert CATALOG["wikimatrix"].upstream_code("zh") == "zh"


def test_unknown_language_is_an_error_with_the_nearest():
    with pytest.raises(InputError, match=r"Unknown language 'ell'. Did you mean el"):
        language("ell")


def test_user_s_table_adds_a_corpus_and_replaces_ours_of_the_same_name(load):
    found = load(table() + table("alpaca", title='"Other"', kind='"instructions"', format='"alpaca-json"'))
    assert list(found) == [*CATALOG, "mine"]
    assert found["alpaca"].title == "Other"
    assert {name: found[name] for name in CATALOG if name != "alpaca"} == {
        name: CATALOG[name] for name in CATALOG if name != "alpaca"
    }


def test_of_two_folders_the_later_wins(tmp_path):
    folders = (tmp_path / "one", tmp_path / "two")
    for folder in folders:
        folder.mkdir()
        (folder / "corpora.toml").write_text(table(title=f'"{folder.name}"'))
    with use_extensions(Extensions(folders)):
        assert load_catalog()["mine"].title == "two"
    assert "mine" not in load_catalog()


def test_user_s_languages_extend_ours_at_once_and_end_with_the_folder(folder, load):
    (folder / "languages.csv").write_text("code,name,flores101,script\ngv,Manx,glv,Latin\nel,Hellenic,ell,Greek\n")
    assert list(languages())[-1] == "gv"
    assert (language("gv").labels, language("gv").ratio, language("el").name) == ((), 1.0, "Hellenic")
    assert CATALOG["flores101"].upstream_code("gv") == "glv"
    assert load(table(langs='["gv"]'))["mine"].location("gv") == "https://example.org/en-gv.zip"
    with pytest.raises(InputError, match=r"'gv' has no code in the column 'flores' of languages\.csv, which corpus"):
        CATALOG["flores200"].upstream_code("gv")
    (folder / "languages.csv").write_text("code,name\ngv,Manx Gaelic\n")
    assert language("gv").name == "Manx Gaelic"
    with use_extensions(Extensions()):
        assert "gv" not in languages()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("code,nme\nsw,Swahili\n", "line 2: Unknown key 'nme'. Did you mean name?"),
        ("code\nsw\n", "line 2: the key 'name' is missing."),
        ("code,name\nSwahili,Swahili\n", "line 2: 'code' must"),
        ("code,name,ratio\nsw,Swahili,0\n", "line 2: 'ratio' must be above 0"),
        ("code,name\nsw,Swahili\nsw,Swahili\n", "line 3: code 'sw' appears twice"),
    ],
)
def test_fault_in_a_user_s_languages_is_an_error(folder, text, sentence):
    (folder / "languages.csv").write_text(text)
    with pytest.raises(InputError) as error:
        languages()
    assert str(error.value).startswith(f"{folder / 'languages.csv'}, {sentence}")


def test_relative_path_starts_at_the_folder_of_its_table(load, tmp_path, monkeypatch):
    corpus = load(table(url='"texts/{pair}.zip"'))["mine"]
    monkeypatch.chdir("/")
    assert corpus.location("el") == str((tmp_path / "texts" / "el-en.zip").resolve())


def test_absolute_path_stays_as_it_is(load):
    assert load(table(url='"/srv/{pair}.zip"'))["mine"].location("hi") == "/srv/en-hi.zip"


def test_upstream_s_exceptional_codes_are_used_in_the_pair(load):
    corpus = load(table(codes='{ el = "gr" }'))["mine"]
    assert (corpus.location("el"), corpus.location("hi")) == (
        "https://example.org/en-gr.zip",
        "https://example.org/en-hi.zip",
    )


def test_corpus_for_any_language_has_all_of_the_table(load):
    corpus = load(table(langs='"any"'))["mine"]
    assert existing(corpus) == [lang for lang in languages() if lang != "en"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (table(licens='"x"'), "Unknown key 'licens'. Did you mean licence"),
        (table(id='"x"'), "Unknown key 'id'"),
        (table(kind='"bitexts"'), "Unknown value of 'kind' 'bitexts'. Did you mean bitext?"),
        (table(format='"moses"'), "Unknown format of bitext 'moses'. Did you mean moses-zip?"),
        (table(code='"flores-101"'), "Unknown value of 'code' 'flores-101'. Did you mean flores101"),
        (table(langs='["el", "grc"]'), "Unknown language 'grc'."),
        (table(codes='{ gr = "x" }'), "Unknown language 'gr'."),
        (table(num_rows="{ xx = 1 }"), "Unknown language 'xx'."),
        (table(sha256=f'{{ xx = "{"0" * 64}" }}'), "Unknown language 'xx'."),
        (table(sha256='{ el = "0" }'), "'sha256.el' must be 64 lower-case hexadecimal digits, not '0'"),
        (table(title="1"), "'title' must be a string, not 1"),
        (table(licence='"other"'), "the licence 'other' needs a 'licence_note'"),
        (table(licence=None), "the key 'licence' is missing"),
        (table(langs="[]"), "'langs' must name a language, or be \"any\""),
        (table(langs='"el"'), "'langs' must be a list or \"any\", not 'el'"),
        (table(langs="[1]"), "'langs' (item 1) must be a string, not 1"),
        (table(num_rows='{ el = "1" }'), "'num_rows.el' must be a whole number, not '1'"),
        (table(codes='"el"'), "'codes' must be a table, not 'el'"),
        (table(version="2026-01-01"), "'version' must not be a date or time"),
        (table(sample_for='"alpaca"'), "Unknown key 'sample_for'. Did you mean sample_of"),
        (table(sample_of='"alpca"'), "key 'sample_of': Unknown corpus 'alpca'. Did you mean alpaca"),
        (table(url='"https://example.org/{lang}.zip"'), "'url' may hold {pair} and {code} only"),
        (table(url='"https://example.org/{}.zip"'), "'url' may hold {pair} and {code} only"),
        (table(url='"https://example.org/{pair.zip"'), "'url' may hold {pair} and {code} only"),
    ],
)
def test_mistake_in_a_corpus_is_an_error_with_file_and_table(load, tmp_path, text, message):
    with pytest.raises(InputError) as error:
        load(text)
    assert f"{tmp_path / 'corpora.toml'}, table [mine]" in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (table("Mine"), "lower-case letters, digits and hyphens"),
        (table('"a b"'), "lower-case letters, digits and hyphens"),
        (table('"../a"'), "lower-case letters, digits and hyphens"),
        ("mine = 1\n", "keys and values were expected, not 1"),
        ("[mine\n", "is not valid TOML"),
        (table() + table(), "is not valid TOML"),
    ],
)
def test_invalid_catalogue_is_an_error_with_the_file(load, tmp_path, text, message):
    with pytest.raises(InputError) as error:
        load(text)
    assert str(tmp_path / "corpora.toml") in str(error.value)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"format": '"alpaca-json"'},
        {"kind": '"benchmark"'},
        {"sha256": '{ el = "abc" }'},
        {"url": '"ftp://x.org/{pair}"'},
    ],
)
def test_unreadable_corpus_is_an_error_before_any_download(load, changes):
    with pytest.raises(InputError):
        load(table(**changes))


def test_every_corpus_of_the_sample_replaces_one_of_ours_and_its_files_are_there():
    found = load_catalog(sample=True)
    for corpus in (found[name] for name in found if name not in CATALOG):
        ours = CATALOG[corpus.sample_of]
        assert (corpus.kind, corpus.format, corpus.code) == (ours.kind, ours.format, ours.code)
        assert all(Path(corpus.location(lang)).is_file() for lang in existing(corpus))


def test_unknown_name_is_an_error_with_the_nearest_or_all():
    assert str(unknown("filter", "copi", ["copy", "empty"])) == "Unknown filter 'copi'. Did you mean copy?"
    assert str(unknown("filter", "zzz", ["empty", "copy"])) == "Unknown filter 'zzz'. Known: copy, empty."
    assert str(unknown("name", "aab", ["aaa", "aac", "x"])).count(" or ") == 1


@pytest.mark.parametrize("url", ["{code:>999999999}", "{pair!r:>9}", "{code.__class__}", "{0}", "{code"])
def test_url_with_a_format_specification_is_refused(url: str, tmp_path: Path) -> None:
    from corpora.extensions import Extensions, use_extensions

    row = f'[x]\ntitle = "X"\nkind = "bitext"\nversion = "1"\nformat = "tsv"\nurl = "{url}"\nlangs = ["el"]\n'
    (tmp_path / "corpora.toml").write_text(row + 'licence = "cc0-1.0"\n', encoding="utf-8")
    with use_extensions(Extensions((tmp_path,), ())), pytest.raises(InputError, match="may hold"):
        load_catalog()
