#!/bin/sh
# embed.sh NAME < FILE: a header that defines NAME as the text of FILE, one string literal; indentation
# and line ends are dropped, so that the text may stand inside a larger one.
set -eu
echo "#pragma once"
echo "/* made by build-aux/embed.sh; do not edit */"
printf '#define %s \\\n' "$1"
sed -e 's/^[[:space:]]*//' -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/        "/' -e 's/$/" \\/'
echo '        ""'
