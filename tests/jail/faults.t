#!/bin/sh
# a part of the system calls of a create, an exec and a destroy made to fail, in turn; "make faults" takes all, those of
# the front, and of imports, too
exec "${top_builddir:-.}/tests/jail/inject" --every 17
