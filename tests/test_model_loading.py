"""No code from outside runs: models, tokenizers, checkpoints and templates are loaded in two files, which check first.

`LOADERS` are the names of functions of libraries that read such files. `PLACES` lists every call of one of them in the
project: the two files that check, and for each other place why it reads nothing from outside.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("corpora", "recipes", "cards", "builders", "trainer")
CHECKED = {"trainer/model_loading.py", "builders/translation/model_loading.py"}
LOADERS = {
    *("from_pretrained", "from_config", "from_file", "from_buffer", "from_str", "load_state_dict", "torch.load"),
    *("safe_open", "load_file", "SentencePieceProcessor", "TransformersConverter", "HFLM"),
    *("ctranslate2.Translator", "ctranslate2.Encoder"),
    *("PeftModel", "pipeline", "apply_chat_template", "render_jinja_template", "from_string", "Environment"),
    *("fasttext.load_model", "numpy.load", "np.load", "pickle.load", "pickle.loads", "Unpickler", "exec"),
    *("import_module", "spec_from_file_location", "exec_module", "yaml.load", "yaml.unsafe_load"),
    *("load_from_disk", "get_kernel", "LlamaForCausalLM", "XLMRobertaModel"),
}
PLACES = {  # file -> what it may call, and why it is not code or a model from outside
    "builders/cli/run_options.py": {"import_module"},  # our own modules
    "builders/pages/render.py": {"Environment"},  # our own templates, by FileSystemLoader from the package
    "builders/pipeline/measuring/characters.py": {"np.load"},  # a table of this package; pickles are off by default
    "cards/dataset_card.py": {"Environment"},  # our own templates, by PackageLoader
    "corpora/extensions.py": {"spec_from_file_location", "exec_module"},  # a user's own Python, from --with alone
    "corpora/language_id/fasttext_model.py": {"fasttext.load_model"},  # a file of a package, by its digest
    "corpora/language_id/language_models.py": {"fasttext.load_model"},  # after fasttext_dense has read and checked it
    "corpora/lazy_names.py": {"import_module"},  # our own modules
    "corpora/tables/content.py": {"yaml.load"},  # with a SafeLoader
    "trainer/evaluation/academic.py": {"yaml.load"},  # with a SafeLoader that leaves `!function` a text
    "trainer/evaluation/comet_model.py": {"load_state_dict"},  # tensors that model_loading has read
    "trainer/evaluation/metrics.py": {"import_module"},  # our own functions, of our own metrics.toml
    "trainer/template_process.py": {"render_jinja_template"},  # the program with limits that renders
    "trainer/training/checkpoints.py": {"safe_open"},  # of a run's own checkpoint only the names of types are read
    "trainer/training/save.py": {"safe_open"},  # the model that this process has just written
}


def calls(path: Path) -> set[str]:
    """Return the loaders that a file calls, by the names of LOADERS."""
    called = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            dotted = ast.unparse(node.func)
            called |= {name for name in LOADERS if dotted == name or dotted.endswith(f".{name}")}
    return called


FILES = {str(path.relative_to(ROOT)): path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))}


def test_models_and_templates_are_loaded_only_where_they_are_checked() -> None:
    places = {name: called for name, path in FILES.items() if name not in CHECKED and (called := calls(path))}
    assert places == PLACES


def test_no_code_that_comes_with_a_model_is_trusted() -> None:
    for name, path in FILES.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg in ("trust_remote_code", "weights_only", "use_safetensors"):
                assert name in CHECKED, f"{name} sets {node.arg}"
                assert ast.unparse(node.value) == str(node.arg != "trust_remote_code"), f"{name}: {node.arg}"


@pytest.mark.parametrize("name", sorted(CHECKED))
def test_every_function_that_loads_checks_first(name: str) -> None:
    tree = ast.parse(FILES[name].read_text(encoding="utf-8"))
    for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
        called = [ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)]
        reads = [call for call in called if any(call == loader or call.endswith(f".{loader}") for loader in READS)]
        checks = [call for call in called if call.startswith("check_") or call in OF_CHECKED_FILES]
        assert checks or not reads, f"{function.name} calls {reads} and checks nothing"


READS = {"from_pretrained", "from_file", "torch.load", "TransformersConverter", "ctranslate2.Translator"}
OF_CHECKED_FILES = {"load_configuration"}


def test_a_run_continues_only_from_checkpoints_that_are_checked() -> None:
    continuing = {
        name
        for name, path in FILES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword) and node.arg == "resume_from_checkpoint"
    }
    assert continuing == {"trainer/train.py"}
    assert "check_run_checkpoint(checkpoint)" in FILES["trainer/train.py"].read_text(encoding="utf-8")
