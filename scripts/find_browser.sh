#!/bin/sh
# Prints the path of a Chromium or Chrome. With --install, a machine without one gets Chromium from its own packages.
find_one() {
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable chrome; do
        [ -n "$name" ] && command -v "$name" 2>/dev/null && return 0
    done
    for path in "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" "/Applications/Chromium.app/Contents/MacOS/Chromium"; do
        [ -x "$path" ] && echo "$path" && return 0
    done
    return 1
}

find_one && exit 0
[ "$1" = "--install" ] || exit 1

root=""
[ "$(id -u)" = 0 ] || root="sudo"
if command -v apt-get >/dev/null; then
    { $root apt-get update -qq && $root apt-get install -y -qq --no-install-recommends chromium; } >&2
elif command -v dnf >/dev/null; then
    $root dnf install -y -q chromium >&2
elif command -v brew >/dev/null; then
    brew install --cask chromium >&2
fi
find_one && exit 0
echo "No Chromium or Chrome was found, and none could be installed; install one or set CHROMIUM to its path." >&2
exit 1
