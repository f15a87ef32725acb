"""The keys of a training recipe: the project's own, those of TRL, and those that a recipe may not set."""

from dataclasses import dataclass, make_dataclass
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import Field

from corpora.errors import InputError, unknown
from corpora.tables import STRICT, parse_row

Count = Annotated[int, Field(ge=1)]
Number = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class RecipeKeys:
    """The keys of a training recipe that the project defines, or for which its default or meaning matters.

    Names are those of TRL's SFTConfig and ModelConfig where TRL has the same setting. Every other key of SFTConfig is
    accepted too, unless it is in MANAGED.
    """

    __pydantic_config__ = STRICT
    title: str = ""
    """The title of the model's card."""
    release: str = ""
    """The release that the recipe is made for; `--release` names another."""
    prompt: str = "alpaca"
    """The prompt template: a row of `prompts.toml`."""
    model_name_or_path: str | None = None
    """The model to start from: a folder, or its name on the Hub."""
    model_revision: str | None = None
    """The revision of the model on the Hub: a branch, tag or commit."""
    model_config: dict[str, Any] | None = None
    """Keys of a LlamaConfig: the run starts from random weights of this shape, without `model_name_or_path`."""
    tokenizer: str | None = None
    """The tokenizer, if it is not the model's own: a folder, or its name on the Hub."""
    pad_token: str | None = None
    """The padding token, for a tokenizer that has none."""
    attn_implementation: str = "sdpa"
    """The attention of the model, in transformers' words."""
    global_batch_size: Count = 16
    """The size of a step over all processes, in the unit of `batch_unit`."""
    batch_unit: Literal["examples", "packed"] = "examples"
    """What `global_batch_size` counts: examples, or packed blocks of `max_length` tokens."""
    per_device_train_batch_size: Count = 4
    """The most examples (or blocks) that pass through the model at once; it changes the speed, not the result."""
    per_device_eval_batch_size: Count = 8
    """The same for validation rows."""
    packing: bool = False
    """Examples of a micro-batch form one row without padding; they do not attend to each other."""
    max_length: Count = 1024
    """The longest example, in tokens."""
    on_overflow: Literal["drop", "truncate", "error"] = "drop"
    """What happens to longer examples; they are counted in any case."""
    num_train_epochs: Positive = 3.0
    """Passes over the rows; the last may be a part of one."""
    max_steps: Count | None = None
    """The most steps, for a smoke test: the schedule ends there, and the learning rate with it."""
    seed: Annotated[int, Field(ge=0)] = 0
    """The seed of the order, of subsets (`--size`), of random weights and of dropout."""
    learning_rate: Number = 2e-5
    """The highest learning rate."""
    lr_scheduler_type: str = "cosine"
    """The schedule of the learning rate, in transformers' words."""
    warmup_steps: Number = 0.0
    """The steps until the highest learning rate; below 1, their share of all steps."""
    weight_decay: Number = 0.0
    """The weight decay of AdamW."""
    adam_beta1: Number = 0.9
    """AdamW's beta 1."""
    adam_beta2: Number = 0.999
    """AdamW's beta 2."""
    adam_epsilon: Number = 1e-8
    """AdamW's epsilon."""
    max_grad_norm: Number = 1.0
    """The norm to which gradients are clipped."""
    optim: str = "adamw_torch_fused"
    """The optimizer, in transformers' words."""
    loss_type: Literal["nll", "dft"] = "nll"
    """TRL's loss."""
    bf16: bool = False
    """Compute in bfloat16 on a GPU; weights stay in float32."""
    tf32: bool = False
    """Use TF32 matrix products on a GPU."""
    activation_checkpointing: bool = False
    """Compute activations again in the backward pass to save memory."""
    torch_compile: bool = False
    """Compile the model."""
    use_peft: bool = False
    """Train a LoRA adapter, and merge it into the model at the end."""
    lora_r: Count = 16
    """The rank of the adapter."""
    lora_alpha: Count = 32
    """The scale of the adapter."""
    lora_dropout: Annotated[float, Field(ge=0, le=1)] = 0.05
    """The dropout of the adapter."""
    lora_target_modules: str | Annotated[list[str], Field(min_length=1)] = "all-linear"
    """The modules with an adapter."""
    load_in_4bit: bool = False
    """Hold the base of the adapter in 4 bits (QLoRA, arXiv 2305.14314); needs the extra `qlora`."""
    logging_steps: Positive = 10.0
    """The steps between logged losses; below 1, their share of all steps."""
    eval_steps: Positive = 0.1
    """The steps between evaluations of validation rows; below 1, their share of all steps."""
    save_steps: Positive = 0.25
    """The steps between checkpoints; below 1, their share of all steps."""
    save_total_limit: Count = 2
    """The checkpoints that are kept."""


KEYS: dict[str, Any] = {name: field.default for name, field in RecipeKeys.__dataclass_fields__.items()}
_SCHEDULED = "the batches of a run are scheduled before it starts"
_EVALUATION = "the trainer evaluates each language by itself"
_LAUNCH = "--processes and --sharding set it"
_TARGET = "the prompt template decides which tokens are learned"
_HUB = "the finished model is a folder, which you can upload"
MANAGED = {
    "gradient_accumulation_steps": "it follows from global_batch_size and the number of processes",
    "warmup_ratio": "TRL has removed it; warmup_steps below 1 is the share of all steps",
    "gradient_checkpointing": "it is called activation_checkpointing now",
    "gradient_checkpointing_kwargs": "it is called activation_checkpointing_kwargs now",
    "datasets": "the rows are those of --release, all of them",
    "fraction": "a mixture is a release, which has the right number of rows of each kind",
    "trust_remote_code": "code that comes with a model is never run",
    "use_liger_kernel": "it patches every model of the process, and TRL is removing it",
    "liger_kernel_config": "it patches every model of the process, and TRL is removing it",
    "output_dir": "--output names the folder",
    "resume_from_checkpoint": "the same command continues a run",
    "ignore_data_skip": "a run that continues must not train rows twice",
    "save_only_model": "a run could not continue from its checkpoints",
    "load_best_model_at_end": "the model of the last step is the result",
    "average_tokens_across_devices": "it must be on, so that the loss does not depend on the number of processes",
    "use_cache": "packed examples would attend to each other",
    "padding_free": "it follows from packing",
    "dtype": "weights are trained in float32; bf16 is the precision of computation",
    "use_cpu": "a GPU is used if there is one",
    "disable_tqdm": "the trainer reports progress itself",
    **dict.fromkeys(("do_train", "do_eval", "do_predict"), "transformers ignores it in training"),
    **dict.fromkeys(("fsdp", "fsdp_config", "deepspeed", "accelerator_config", "parallelism_config"), _LAUNCH),
    **dict.fromkeys(("auto_find_batch_size", "data_seed", "dataloader_drop_last", "length_column_name"), _SCHEDULED),
    **dict.fromkeys(("shuffle_dataset", "train_sampling_strategy", "packing_strategy"), _SCHEDULED),
    **dict.fromkeys(("dataset_kwargs", "dataset_num_proc", "dataset_text_field", "remove_unused_columns"), _SCHEDULED),
    **dict.fromkeys(("eval_strategy", "save_strategy", "logging_strategy"), "its *_steps key sets it"),
    **dict.fromkeys(("eval_packing", "prediction_loss_only", "eval_accumulation_steps"), _EVALUATION),
    **dict.fromkeys(("batch_eval_metrics", "include_for_metrics", "label_names"), _EVALUATION),
    **dict.fromkeys(("eval_do_concat_batches", "eval_use_gather_object"), _EVALUATION),
    **dict.fromkeys(("assistant_only_loss", "completion_only_loss", "chat_template_path", "eos_token"), _TARGET),
    "truncation_mode": "on_overflow decides what happens to long examples",
    "model_init_kwargs": "attn_implementation, bf16 and model_revision set it",
    **dict.fromkeys(("push_to_hub", "hub_token", "hub_private_repo", "hub_model_id", "hub_strategy"), _HUB),
    **dict.fromkeys(("hub_always_push", "hub_revision"), _HUB),
    "load_in_8bit": "a base is held in 4 bits, by load_in_4bit",
}


def managed_table() -> str:
    """Return the keys that a recipe may not set, by reason, as a table in Markdown; a test compares the README."""
    keys: dict[str, list[str]] = {}
    for key, reason in MANAGED.items():
        keys.setdefault(reason, []).append(f"`{key}`")
    rows = [f"| {', '.join(sorted(names))} | {reason} |" for reason, names in keys.items()]
    return "\n".join(["| keys | reason |", "|---|---|", *rows]) + "\n"


def check_keys(table: dict[str, Any], where: str) -> dict[str, Any]:
    """Return keys of a recipe with checked values.

    Args:
        table: Keys and values, as YAML gives them.
        where: The file, or the option, for errors.

    Raises:
        InputError: A key is unknown or managed, or a value has the wrong type or is not one of the choices.
    """
    for key in table:
        if key in MANAGED:
            raise InputError(f"{where}: '{key}' cannot be set: {MANAGED[key]}.")
    ours = {key: value for key, value in table.items() if key in KEYS}
    row = parse_row(ours, RecipeKeys, where)
    trl = {key: value for key, value in table.items() if key not in KEYS}
    return {key: getattr(row, key) for key in ours} | (_check_trl_keys(trl, where) if trl else {})


def _check_trl_keys(table: dict[str, Any], where: str) -> dict[str, Any]:
    """Return further keys of SFTConfig, checked against its annotations."""
    annotations = _trl_annotations(where)
    for key in table:
        if key not in annotations:
            raise InputError(f"{where}: {unknown('key', key, KEYS.keys() | annotations.keys() - MANAGED.keys())}")
    fields = [(key, annotations[key]) for key in table]
    parse_row(table, make_dataclass("TrlKeys", fields, namespace={"__pydantic_config__": STRICT}), where)
    return table


def _trl_annotations(where: str) -> dict[str, Any]:
    try:
        from trl import SFTConfig  # takes seconds, so only recipes with such a key import it
    except ModuleNotFoundError:
        raise InputError(
            f"{where}: keys beside {', '.join(KEYS)} are checked against TRL, which is not installed. "
            "Install the extra: pip install 'coit-builders[train]'."
        ) from None
    return get_type_hints(SFTConfig)
