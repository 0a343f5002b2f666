#!/bin/sh
# processes of the supervisor killed after some of their calls, all of what they do for the store: whatever it was, the
# store is whole afterwards, nothing is half there, and nothing is left; "make faults" takes all calls
. "${top_srcdir:-$(dirname "$0")/../..}/tests/jail/killed-try.sh"

try "amid an import" --kill --each 1 --work import
try "the front, amid an import" --kill --each 1 --work import --front
try "a commit that ends before it began is no layer" --work import --only commit 1
try "amid a collection" --kill --each 1 --work gc
try "amid an export" --kill --each 1 --work export
tried
