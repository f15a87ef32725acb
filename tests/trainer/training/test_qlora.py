"""An adapter on a base in 4 bits: trained, and merged into the base in its own precision."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from corpora.errors import InputError
from trainer.preparation import TrainConfig
from trainer.recipe import load_recipe

ConfigOf = Callable[..., TrainConfig]

HAS_BITSANDBYTES = find_spec("bitsandbytes") is not None


@pytest.mark.slow
@pytest.mark.skipif(not HAS_BITSANDBYTES, reason="bitsandbytes is not installed (extra `qlora`)")
def test_adapter_on_a_base_in_4_bits_is_merged_into_the_base(config_of: ConfigOf, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from tests.trainer.models import make_model
    from trainer.train import train

    base = make_model(tmp_path / "base")
    changes = ("model_config=null", f"model_name_or_path={base}", "tokenizer=null", "num_train_epochs=1")
    changes += ("pad_token=<unk>", "max_length=700", "use_peft=true", "load_in_4bit=true")
    changes += ("max_steps=2", "eval_steps=1")
    metadata, output = train(config_of(*changes)), tmp_path / "run"
    assert metadata["status"] == "done"
    assert len(metadata["evaluations"]) > 1  # a validation leaves the matrices in 4 bits as they are
    before = AutoModelForCausalLM.from_pretrained(base).state_dict()
    after = AutoModelForCausalLM.from_pretrained(output / "model").state_dict()
    assert {name: value.dtype for name, value in after.items()} == {name: value.dtype for name, value in before.items()}
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed
    assert all("proj" in name for name in changed)


@pytest.mark.slow
@pytest.mark.skipif(HAS_BITSANDBYTES, reason="bitsandbytes is installed")
def test_base_in_4_bits_without_bitsandbytes_is_refused(config_of: ConfigOf, tmp_path: Path) -> None:
    from tests.trainer.models import make_model
    from trainer.train import train

    base = make_model(tmp_path / "base")
    changes = ("model_config=null", f"model_name_or_path={base}", "tokenizer=null", "pad_token=<unk>", "max_length=300")
    with pytest.raises(InputError, match=r"load_in_4bit needs bitsandbytes: pip install 'coit-builders\[qlora\]'"):
        train(config_of(*changes, "use_peft=true", "load_in_4bit=true"))


def test_base_in_4_bits_without_an_adapter_is_refused() -> None:
    with pytest.raises(InputError, match="load_in_4bit holds a base for an adapter"):
        load_recipe("x-llama", {"load_in_4bit": True})
