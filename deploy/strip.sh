#!/bin/sh
# Removes from the site-packages $1 what only compilers, type checkers and debuggers read.
set -eu
cd "$1"

find . -type f -regex '.*\.\(c\|cc\|h\|hpp\|pxd\|pxi\|pyi\|pyx\|rs\|proto\)' -delete

# Debug symbols. numpy and scipy bring libraries that were patched, and that stripping would break.
find . -type f -name '*.so' -not -path './numpy*' -not -path './scipy*' -not -path '*.libs/*' \
    -exec strip --strip-debug {} +
