#!/bin/sh
# safe-test's hook for Augment: asks `safe-test hook` about each command before it runs.
set -u

if command -v safe-test >/dev/null 2>&1; then
    exec safe-test hook --agent augment
fi
printf '%s\n' \
    'safe-test: this hook does not find safe-test on PATH, so the command was not run' \
    '  hint: tell the person who asked; cargo install --path FOLDER, where FOLDER is a clone of its repository' >&2
exit 2
