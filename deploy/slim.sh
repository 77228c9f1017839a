#!/bin/sh
# Removes from the site-packages $1 what nobody reads who runs or develops ktrdr: a quarter of their size.
# May be repeated.
set -eu
cd "$1"

# Tests of libraries, data sets for examples, and the source of what is compiled.
find . -type d -name tests -prune -exec rm -r {} +
rm -rf statsmodels/datasets/*/*.csv statsmodels/datasets/*/src temporalio/bridge/sdk-core

# Matplotlib reads one table of fontTools, and needs the rest to write PDF and PostScript, which nobody asks
# for. A notice needs neither Apprise's pictures nor its translations.
(cd fontTools && find . -type f -not -path ./__init__.py -not -path ./agl.py -not -path ./misc/__init__.py \
    -not -path ./misc/textTools.py -not -path ./misc/loggingTools.py -delete)
rm -rf apprise/i18n apprise/assets
rm -rf matplotlib/mpl-data/sample_data matplotlib/mpl-data/fonts/afm matplotlib/mpl-data/fonts/pdfcorefonts
find matplotlib/mpl-data/fonts/ttf -name '*.ttf' -not -name 'DejaVuSans*' -not -name 'LastResort*' -delete

# A picture is a PNG, and a database SQLite or PostgreSQL.
rm -rf PIL/_avif.* pillow.libs/libavif-* sqlalchemy/dialects/mysql sqlalchemy/dialects/mssql \
    sqlalchemy/dialects/oracle

# Arrow's clients of services that are not used, with which nothing else is linked, and copies of a
# library under names that only a linker looks for.
rm -f pyarrow/libarrow_flight.* pyarrow/_flight.* pyarrow/libarrow_s3.* pyarrow/_s3fs.* \
    pyarrow/libarrow_python.so pyarrow/libarrow_python.so.*.*
