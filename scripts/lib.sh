# Functions that the other scripts share; sourced, not run.
# shellcheck shell=bash

# The top of the project, whatever folder the script was called from. The scripts that source this file use it.
# shellcheck disable=SC2034
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

fail() {
    say "$*"
    exit 1
}

# debian_name 12|13: prints the archive's name of a Debian release that streambox supports.
debian_name() {
    case $1 in
        12) echo bookworm ;;
        13) echo trixie ;;
        *)
            say "streambox supports Debian 12 and 13, not $1."
            return 2
            ;;
    esac
}

# debian_sources NAME: prints apt's source lines for that Debian, from the servers of this machine's own packages.
debian_sources() {
    local lines
    # apt replaces the words in $().
    # shellcheck disable=SC2016
    lines=$(apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        sed -n -E "s/ (bookworm|trixie)(-updates|-security)? / $1\2 /p" | sort -u)
    # Testing has neither updates nor security.
    if [[ $1 == forky ]]; then lines=$(grep -vE ' forky-(updates|security) ' <<<"$lines"); fi
    [[ -n $lines ]] ||
        fail "apt has no source of Debian's own packages: its lists show neither bookworm nor trixie." \
            "Run apt-get update."
    printf '%s\n' "$lines"
}

# Fails before anything is built if Swift 6.2 or later is not installed.
require_swift() {
    local text version major minor
    if ! command -v swift >/dev/null 2>&1; then
        fail "Swift is not installed:" \
            "get version 6.2 or later from https://www.swift.org/install/linux/ and put it on the PATH."
    fi
    text=$(swift --version 2>/dev/null)
    version=$(sed -n 's/.*Swift version \([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p' <<<"$text" | head -n 1)
    major=${version%%.*}
    minor=${version#*.}
    if [[ -z $version ]] || ((major < 6 || (major == 6 && minor < 2))); then
        fail "Swift ${version:-of an unknown version} is too old:" \
            "streambox needs 6.2 or later, see https://www.swift.org/install/linux/."
    fi
}

# use_ffmpeg VERSION: puts that FFmpeg of scripts/ffmpeg-matrix first on the PATH, and removes the one that an earlier
# call put there.
use_ffmpeg() {
    local programs
    programs=$("$root/scripts/ffmpeg-matrix" "$1") || return 1
    PATH=$programs:${path_without_ffmpeg:=$PATH}
    # The tests' simulation of NVENC finds the headers of this FFmpeg here.
    unset STREAMBOX_TEST_ROOT
    if [[ -d ${programs%/bin}/root ]]; then export STREAMBOX_TEST_ROOT=${programs%/bin}/root; fi
    say "With $("$programs/ffmpeg" -version | sed -n '1s/ Copyright.*//p'):"
}
