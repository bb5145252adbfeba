#!/usr/bin/env bash
# Train by several processes: one for each GPU or, on a machine without, on the CPU.
set -euo pipefail

usage() {
    cat <<USAGE
usage: $0 CONFIG PROCESSES [arguments of tools/train.py]
PROCESSES: the number of GPUs to use on this machine; on a machine without GPU, the number of CPU processes.
example: $0 configs/pmsdsnet/pmsdsnet_3stage_onehand10k.py 2 --amp --auto-scale-lr
environment: NNODES, NODE_RANK, MASTER_ADDR, PORT for several machines; PYTHON for another interpreter;
OMP_NUM_THREADS for the threads of a process
USAGE
}
if [[ $# -lt 2 || ! "$2" =~ ^[1-9][0-9]*$ ]]; then
    usage >&2
    exit 2
fi
# shellcheck source=tools/launch.sh
source "$(dirname "${BASH_SOURCE[0]}")/launch.sh"
launch "$2" train.py "$1" "${@:3}"
