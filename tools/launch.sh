#!/usr/bin/env bash
# Shared by dist_train.sh, dist_test.sh and slurm_train.sh; to be sourced.

TOOLS="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"

# The interpreter: $PYTHON, that of an active environment, the project's own, or the system's.
find_python() {
    local own="$TOOLS/../.venv/bin/python"
    if [[ -n "${PYTHON:-}" ]]; then
        echo "$PYTHON"
    elif [[ -z "${VIRTUAL_ENV:-}${CONDA_PREFIX:-}" && -x "$own" ]]; then
        echo "$own"
    else
        echo python
    fi
}

# launch PROCESSES TOOL [arguments]: run a tool in so many processes under torchrun.
launch() {
    local processes=$1 tool=$2 python cores threads rendezvous
    shift 2
    python="$(find_python)"
    cores="$(nproc 2>/dev/null || echo 1)"
    threads=$((cores / processes))
    export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$((threads > 0 ? threads : 1))}"
    export PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}"
    if [[ "${NNODES:-1}" == 1 && -z "${PORT:-}" ]]; then
        rendezvous=(--standalone) # finds a free port: two trainings on one machine do not meet
    else
        rendezvous=(--nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}"
            --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}")
    fi
    exec "$python" -m torch.distributed.run "${rendezvous[@]}" --nproc_per_node="$processes" \
        "$TOOLS/$tool" "$@" --launcher pytorch
}
