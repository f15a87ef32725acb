"""Check the files of a model before a library reads them: none runs code, and none asks for more than it has.

    check_model_files(folder)          # InputError, or WeightCounts of the folder's safetensors
    check_configuration(folder / "config.json")
    check_checkpoint_file(path)        # a file of torch: stored tensors, no compressed part
    check_sharded_metadata(folder)     # .metadata of a sharded checkpoint: a pickle, read without running it

`trainer/model_loading.py` and `builders/translation/model_loading.py` are the only files that load a model, tokenizer,
checkpoint or template. They call these functions first; `tests/test_model_loading.py` lists every such place.
"""

from corpora.model_files.checkpoints import check_checkpoint_file, check_sharded_metadata
from corpora.model_files.configuration import ATTENTIONS, check_attention, check_configuration, read_model_json
from corpora.model_files.folder import check_model_files
from corpora.model_files.weights import WeightCounts, count_weights

__all__ = [
    "ATTENTIONS",
    "WeightCounts",
    "check_attention",
    "check_checkpoint_file",
    "check_configuration",
    "check_model_files",
    "check_sharded_metadata",
    "count_weights",
    "read_model_json",
]
