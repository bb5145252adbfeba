#!/usr/bin/env bash
# Train on a slurm cluster.
set -euo pipefail

usage() {
    cat <<USAGE
usage: $0 PARTITION JOB_NAME CONFIG WORK_DIR [arguments of tools/train.py]
example: GPUS=4 GPUS_PER_NODE=4 $0 gpu hands configs/pmsdsnet/pmsdsnet_3stage_onehand10k.py work_dirs/hands --amp
environment: GPUS (8), GPUS_PER_NODE (8; 0 for the CPU), CPUS_PER_TASK (5), SRUN_ARGS; PYTHON for another interpreter
USAGE
}
if [[ $# -lt 4 ]]; then
    usage >&2
    exit 2
fi
# shellcheck source=tools/launch.sh
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"

GPUS=${GPUS:-8}
GPUS_PER_NODE=${GPUS_PER_NODE:-8}
CPUS_PER_TASK=${CPUS_PER_TASK:-5}
read -ra SRUN_ARGS <<<"${SRUN_ARGS:-}"
if [[ "$GPUS_PER_NODE" -gt 0 ]]; then
    SRUN_ARGS+=(--gres="gpu:$GPUS_PER_NODE" --ntasks-per-node="$GPUS_PER_NODE")
fi
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-$CPUS_PER_TASK}"
export PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}"
exec srun -p "$1" --job-name="$2" --ntasks="$GPUS" --cpus-per-task="$CPUS_PER_TASK" --kill-on-bad-exit=1 \
    ${SRUN_ARGS[@]+"${SRUN_ARGS[@]}"} "$(find_python)" -u "$TOOLS/train.py" "$3" --work-dir="$4" --launcher=slurm "${@:5}"
