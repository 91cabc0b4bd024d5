#!/bin/sh
# Everything that is done to build the gateway's image, so that it can be tried without an image as well:
#
#     PREFIX=/tmp/cunjing sh docker/build.sh
#
# PREFIX becomes an environment with the pinned packages, each checked by its hash, and cunjing itself as a wheel; no
# pip, no tool of the build and nothing of the tests is in it. A step may be named, so that the image keeps the first
# one while only the source changes: `dependencies` or `package`. It writes nowhere but to PREFIX and a folder of TMPDIR.
set -eu

PREFIX=${PREFIX:-/opt/cunjing}
PYTHON=${PYTHON:-python3}
SOURCE=$(cd "$(dirname "$0")/.." && pwd)
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
trap 'exit 1' HUP INT TERM

# pip of an environment beside the prefix, told to install into the prefix.
pip() {
    "$WORK/tools/bin/python" -m pip --no-input --disable-pip-version-check --quiet "$@"
}

dependencies() {
    "$PYTHON" -m venv --without-pip --clear "$PREFIX"
    pip --python "$PREFIX/bin/python" install --no-cache-dir --require-hashes --only-binary :all: \
        --requirement "$SOURCE/requirements/runtime.txt"
}

# The wheel is built from a copy, so that nothing is left in the source.
package() {
    pip install --no-cache-dir --require-hashes --requirement "$SOURCE/requirements/build.txt"
    mkdir "$WORK/source"
    for each in pyproject.toml README.md telemetry alerts firmware_sim gateway dashboards config; do
        if [ -e "$SOURCE/$each" ]; then cp -R "$SOURCE/$each" "$WORK/source/"; fi
    done
    pip wheel --no-index --no-deps --no-build-isolation --wheel-dir "$WORK/wheel" "$WORK/source"
    pip --python "$PREFIX/bin/python" install --no-index --no-deps --force-reinstall "$WORK"/wheel/cunjing-*.whl
    pip --python "$PREFIX/bin/python" check
    "$PREFIX/bin/cunjing" --version
}

case ${1:-all} in
    all) steps='dependencies package' ;;
    dependencies | package) steps=$1 ;;
    *)
        echo "usage: PREFIX=FOLDER sh docker/build.sh [dependencies|package]" >&2
        exit 2
        ;;
esac
"$PYTHON" -m venv "$WORK/tools"
for step in $steps; do "$step"; done
