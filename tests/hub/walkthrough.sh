#!/usr/bin/env bash
# A release's life over a small Hub on 127.0.0.1: publish, load by version, change a threshold,
# publish again, diff, lock, stop the server, fetch offline, verify. Needs the project installed: bash tests/hub/walkthrough.sh
set -euo pipefail
server=$(cd "$(dirname "$0")" && pwd)/server.py
folder=$(mktemp -d)
cd "$folder"
python "$server" hub > url &
hub=$!
trap 'kill $hub 2>/dev/null || true; rm -rf "$folder"' EXIT
until [ -s url ]; do sleep 0.1; done
export HF_ENDPOINT HF_HOME=$folder/home HF_TOKEN=hf_alice HF_HUB_DISABLE_XET=${HF_HUB_DISABLE_XET-1} HF_HUB_DISABLE_TELEMETRY=1
export HF_HUB_DISABLE_UPDATE_CHECK=1 HF_DATASETS_DISABLE_PROGRESS_BARS=1 NO_PROXY=127.0.0.1
HF_ENDPOINT=$(cat url)

say() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }
load() {
    python -c "
import datasets
rows = datasets.load_dataset('org/coit', 'el', revision='$1', split='train')
print('org/coit el $1:', rows.num_rows, 'rows')"
}

say builders publish coit --sample --langs el,hi --registry hf://org/coit
say builders publish muit --sample --langs el,hi --registry hf://org/muit
say load v1.0.0
say builders publish coit --sample --langs el,hi --registry hf://org/coit --set low_margin.min=1.08 --preview
say builders publish coit --sample --langs el,hi --registry hf://org/coit --set low_margin.min=1.08
say builders publish coit --sample --langs el,hi --registry hf://org/coit --set low_margin.min=1.08
say builders versions --registry hf://org
say builders diff hf://org/coit@v1.0.0 hf://org/coit@v2.0.0 --examples 1
say load v1.0.0
say load v2.0.0
say builders lock hf://org/coit@v1.0.0 hf://org/muit
say kill $hub
say builders fetch --offline
fetched=$(builders fetch --offline --json | python -c 'import json, sys; print(json.load(sys.stdin)["hf://org/coit"])')
say builders verify "$fetched"
cp -rL "$fetched" copy
printf 'x' >> copy/data/el/train-00000-of-00001.parquet
say builders verify copy || echo "(exit code $?)"
