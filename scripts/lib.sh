# Shared by the scripts beside it; sourced, not run.
# shellcheck shell=bash

# The package, wherever the script was called from.
# shellcheck disable=SC2034
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# Swift 6.2 or later, found before anything is built.
require_swift() {
    local text version major minor
    if ! command -v swift >/dev/null 2>&1; then
        fail "Swift is not installed: get version 6.2 or later from https://www.swift.org/install/linux/ and put it on the PATH."
    fi
    text=$(swift --version 2>/dev/null)
    version=$(sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' <<<"$text" | head -n 1)
    major=${version%%.*}
    minor=${version#*.}
    if [[ -z $version ]] || ((major < 6 || (major == 6 && minor < 2))); then
        fail "Swift ${version:-of an unknown version} is too old: streambox needs 6.2 or later, see https://www.swift.org/install/linux/."
    fi
}
