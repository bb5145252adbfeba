#!/usr/bin/env bash
# Makes .venv with the pinned stack, compiles mmcv and xtcocotools against it, installs this project in editable mode.
#
#   bash tools/setup_env.sh            install what is missing; returns at once if nothing is missing
#   bash tools/setup_env.sh --check    also run the doctor
#
# Environment variables; .venv remembers the choice of torch and CUDA ops for the next call
#   HANDKP_PYTHON    interpreter, 3.10 to 3.12            (default: the first of python3, python3.12, 3.11, 3.10 that fits)
#   TORCH_VERSION    2.10.0 to 2.13.x                     (default: 2.11.0)
#   HANDKP_CUDA_OPS  1 compiles the CUDA ops of mmcv for the GPUs of this machine, or for TORCH_CUDA_ARCH_LIST; needs
#                    nvcc of the CUDA version of torch    (default: 0)
#   HANDKP_CACHE     folder of the wheels built here      (default: ${XDG_CACHE_HOME:-~/.cache}/handkp_plugins)
#   MAX_JOBS         compilers at the same time           (default: number of cores)
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
VENV=$ROOT/.venv
PY=$VENV/bin/python
STAMP=$VENV/.handkp_stamp
LOG=$VENV/setup.log
CONSTRAINTS=$ROOT/tools/constraints.txt
CHOICE=$VENV/.handkp_choice
chosen() { sed -n "s/^$1=//p" "$CHOICE" 2>/dev/null || true; }
TORCH_VERSION=${TORCH_VERSION:-$(chosen torch)}
TORCH_VERSION=${TORCH_VERSION:-2.11.0}
CUDA_OPS=${HANDKP_CUDA_OPS:-$(chosen cuda_ops)}
CUDA_OPS=${CUDA_OPS:-0}
CACHE=${HANDKP_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/handkp_plugins}
JOBS=${MAX_JOBS:-$(nproc 2>/dev/null || echo 2)}
STARTED=$SECONDS

die() { printf 'setup_env: %s\n' "$*" >&2; exit 1; }

case ${1:-} in
    '' | --check) ;;
    -h | --help) sed -n '2,14s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
    *) die "option: expected --check or --help, got '$1'" ;;
esac

# Each torch needs its torchvision; below 2.10 loading a checkpoint is unsafe, above 2.13 mmcv does not compile.
case $TORCH_VERSION in
    2.10.*) TORCHVISION_VERSION=0.25.${TORCH_VERSION##*.} ;;
    2.11.*) TORCHVISION_VERSION=0.26.${TORCH_VERSION##*.} ;;
    2.12.*) TORCHVISION_VERSION=0.27.${TORCH_VERSION##*.} ;;
    2.13.*) TORCHVISION_VERSION=0.28.${TORCH_VERSION##*.} ;;
    *) die "TORCH_VERSION: expected 2.10.0 to 2.13.x, got '$TORCH_VERSION'" ;;
esac
case $CUDA_OPS in 0 | 1) ;; *) die "HANDKP_CUDA_OPS: expected 0 or 1, got '$CUDA_OPS'" ;; esac

# --- nothing to do? -------------------------------------------------------------------------------------------------
fingerprint() {
    { cat "$CONSTRAINTS" "$ROOT/pyproject.toml" "${BASH_SOURCE[0]}"
      echo "$ROOT $TORCH_VERSION $CUDA_OPS"; } | cksum
}
if [ "${HANDKP_PYTHON:-$(chosen python)}" = "$(chosen python)" ] && [ -x "$PY" ] && [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$(fingerprint)" ]; then
    if [ "${1:-}" = --check ]; then exec "$PY" -m handkp_plugins.doctor; fi
    exit 0
fi

# --- the interpreter ------------------------------------------------------------------------------------------------
fits() { "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; }
if [ -n "${HANDKP_PYTHON:-}" ]; then
    fits "$HANDKP_PYTHON" || die "HANDKP_PYTHON: expected Python 3.10 to 3.12 with venv, got '$HANDKP_PYTHON'"
    PYTHON=$HANDKP_PYTHON
elif fits "$PY"; then
    PYTHON=$PY
else
    for PYTHON in python3 python3.12 python3.11 python3.10 ''; do
        [ -z "$PYTHON" ] || ! fits "$PYTHON" || break
    done
    [ -n "$PYTHON" ] || die 'no Python 3.10 to 3.12 with venv found: install one (Debian, Ubuntu: apt-get install python3 python3-venv python3-dev) or name it in HANDKP_PYTHON'
fi
version_of() { "$1" -c 'import platform; print(platform.python_version())'; }
if [ -x "$PY" ] && [ "$(version_of "$PY" 2>/dev/null)" != "$(version_of "$PYTHON")" ]; then
    echo "setup_env: $VENV has another Python and is replaced"
    rm -rf "$VENV"
fi

# --- running a step: what it does, how long it takes, the log's end when it fails -------------------------------------
CHILD=
on_exit() { [ -z "$CHILD" ] || { kill "$CHILD" 2>/dev/null; pkill -P "$CHILD" 2>/dev/null; } || true; rm -rf "${BUILD:-}"; }
trap on_exit EXIT
trap 'echo; echo "setup_env: interrupted; run it again to go on"; exit 130' INT TERM

step() {  # step TITLE COMMAND…
    local title=$1 begun=$SECONDS next=15 note
    shift
    printf '%4d s  %s\n' $((SECONDS - STARTED)) "$title"
    printf '\n### %s\n%s\n' "$title" "$*" >>"$LOG"
    "$@" >>"$LOG" 2>&1 &
    CHILD=$!
    while kill -0 "$CHILD" 2>/dev/null; do
        sleep 0.5
        if ((SECONDS - begun >= next)); then
            note=$(tail -n 5 "$LOG" | grep -oE '^ *\[[0-9]+/[0-9]+\]' | tail -n 1 || true)
            printf '%4d s    … %s still at it%s\n' $((SECONDS - STARTED)) "${title%%:*}" "${note:+, compiled $note}"
            next=$((next + 30))
        fi
    done
    if ! wait "$CHILD"; then
        CHILD=
        tail -n 25 "$LOG" >&2
        die "failed: $title (whole log: $LOG)"
    fi
    CHILD=
}

if [ ! -x "$PY" ] || ! "$PY" -m pip --version >/dev/null 2>&1; then
    rm -rf "$VENV"
    echo "setup_env: making $VENV with $PYTHON ($(version_of "$PYTHON"))"
    "$PYTHON" -m venv "$VENV" || die "could not make $VENV"
fi
: >"$LOG" || die "cannot write to $VENV"
rm -f "$STAMP"
PIP=("$PY" -m pip --disable-pip-version-check)
LIMITS=$VENV/.constraints.txt
{ cat "$CONSTRAINTS"; echo "torch==$TORCH_VERSION"; echo "torchvision==$TORCHVISION_VERSION"; } >"$LIMITS"

step "torch $TORCH_VERSION and torchvision $TORCHVISION_VERSION (about 1 minute, 5.5 GB with CUDA libraries)" \
    "${PIP[@]}" install -c "$LIMITS" torch torchvision
step 'the rest of the stack from the package index' \
    "${PIP[@]}" install -c "$LIMITS" numpy scipy scikit-image scikit-learn matplotlib opencv-python vtk pygltflib roma mmengine \
    pycocotools shapely json-tricks munkres terminaltables six safetensors tqdm psutil packaging setuptools wheel ninja cython \
    pytest pytest-xdist ruff import-linter gradio playwright mkdocs-material mkdocstrings-python
step 'mmdet and mmpose' "${PIP[@]}" install --no-deps -c "$LIMITS" mmdet mmpose

# --- compiled against this torch and this NumPy, which pip's own cache does not record ---------------------------------
mkdir -p "$CACHE/wheels" || die "cannot write the wheel cache $CACHE (name another in HANDKP_CACHE)"
if command -v flock >/dev/null; then
    exec 9>"$CACHE/lock"
    flock -n 9 || { echo 'setup_env: another installation is compiling; waiting for it'; flock 9; }
fi

pinned() { sed -n "s/^$1==\([^;]*\).*/\1/p" "$CONSTRAINTS"; }
TAG=$("$PY" -c 'import sys, sysconfig, torch, numpy
print(f"cp{sys.version_info[0]}{sys.version_info[1]}", sysconfig.get_platform().replace("-", "_"), torch.__version__,
      torch.version.cuda or "none", numpy.__version__.split(".")[0])')
read -r ABI PLATFORM TORCH_BUILD CUDA NUMPY_MAJOR <<<"$TAG"

compiled() {  # compiled PACKAGE KEY TITLE [VARIABLE=VALUE…]: a wheel from the cache, else built into it; installed
    local package=$1 dir=$CACHE/wheels/$2 title=$3 wheel
    shift 3
    if ! compgen -G "$dir/*.whl" >/dev/null; then
        command -v "${CXX:-c++}" >/dev/null || die "$package must be compiled and there is no C++ compiler (Debian, Ubuntu: apt-get install g++)"
        "$PY" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' ||
            die "$package must be compiled and Python.h is missing (Debian, Ubuntu: apt-get install python3-dev)"
        BUILD=$(mktemp -d "$CACHE/build.XXXXXX")
        # PATH: torch finds ninja there. No build isolation: an isolated build would not see torch.
        step "$title" env "PATH=$VENV/bin:$PATH" "TMPDIR=$BUILD" "MAX_JOBS=$JOBS" "$@" "${PIP[@]}" wheel -v --no-build-isolation --no-deps \
            --no-cache-dir --no-binary "$package" -c "$LIMITS" -w "$BUILD/out" "$package"
        mkdir -p "$(dirname "$dir")"
        rm -rf "$dir"
        mv "$BUILD/out" "$dir"
        rm -rf "$BUILD"
    fi
    wheel=$(compgen -G "$dir/*.whl" | head -n 1)
    step "$package: installing ${wheel##*/}" "${PIP[@]}" install --no-deps --force-reinstall "$wheel"
}

OPS=cpu CUDA_ENV=(FORCE_CUDA=0 CUDA_VISIBLE_DEVICES=)
if [ "$CUDA_OPS" = 1 ]; then
    command -v nvcc >/dev/null || [ -x "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc" ] || die "HANDKP_CUDA_OPS=1 needs nvcc of CUDA $CUDA on the PATH or in CUDA_HOME"
    [ "$CUDA" != none ] || die "HANDKP_CUDA_OPS=1: torch $TORCH_BUILD is built without CUDA"
    # The ops run only on the GPU generations that they are compiled for.
    ARCH=${TORCH_CUDA_ARCH_LIST:-$("$PY" -c 'import torch
n = torch.cuda.device_count()
print(";".join(sorted({"%d.%d" % torch.cuda.get_device_capability(i) for i in range(n)})))')}
    [ -n "$ARCH" ] || die 'HANDKP_CUDA_OPS=1: no GPU is seen here; name the generations to compile for, as TORCH_CUDA_ARCH_LIST="8.0;9.0"'
    OPS=cuda$CUDA-sm${ARCH//[^0-9.]/_} CUDA_ENV=(FORCE_CUDA=1 "TORCH_CUDA_ARCH_LIST=$ARCH")
fi
compiled xtcocotools "xtcocotools-$(pinned xtcocotools)/numpy$NUMPY_MAJOR-$ABI-$PLATFORM" 'xtcocotools: compiling (about 10 seconds)'
compiled mmcv "mmcv-$(pinned mmcv)/torch$TORCH_BUILD-$ABI-$PLATFORM-$OPS" \
    "mmcv: compiling $OPS ops with $JOBS jobs (6 to 14 minutes on 2 cores, once per machine)" MMCV_WITH_OPS=1 "${CUDA_ENV[@]}"
if command -v flock >/dev/null; then flock -u 9; fi

step 'handkp_plugins in editable mode' "${PIP[@]}" install --no-deps --no-build-isolation -e "$ROOT"
printf '%4d s  checking the installation\n' $((SECONDS - STARTED))
"$PY" -m handkp_plugins.doctor || die 'the check found faults, see above'
printf 'torch=%s\ncuda_ops=%s\npython=%s\n' "$TORCH_VERSION" "$CUDA_OPS" "${HANDKP_PYTHON:-$(chosen python)}" >"$CHOICE"
fingerprint >"$STAMP"
echo "setup_env: ready after $((SECONDS - STARTED)) s; activate with: source $VENV/bin/activate"
