#!/bin/sh
# Removes from the site-packages $1 what no running program reads: a third of their size.
set -eu
cd "$1"

# What only testers, compilers and type checkers read, and data sets for examples.
find . -type d -name tests -prune -exec rm -r {} +
find . -type f -regex '.*\.\(c\|cc\|h\|hpp\|pxd\|pxi\|pyi\|pyx\|rs\|proto\)' -delete
rm -rf statsmodels/datasets/*/*.csv statsmodels/datasets/*/src temporalio/bridge/sdk-core

# Arrow's clients of services that are not used, with which nothing else is linked, and copies of a
# library under names that only a linker looks for.
rm -f pyarrow/libarrow_flight.* pyarrow/_flight.* pyarrow/libarrow_s3.* pyarrow/_s3fs.* \
    pyarrow/libarrow_python.so pyarrow/libarrow_python.so.*.*

# Debug symbols. numpy and scipy bring libraries that were patched, and that stripping would break.
find . -type f -name '*.so' -not -path './numpy*' -not -path './scipy*' -not -path '*.libs/*' \
    -exec strip --strip-debug {} +
