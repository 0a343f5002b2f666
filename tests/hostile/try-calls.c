/*
 * Makes each call of calls.h and prints a line: the answer, what the floor answers, the name. A program for
 * calls.t, which runs it outside and inside a jail.
 */
#include <stdio.h>

#include "tests/hostile/calls.h"

int main(void) {
        for (unsigned i = 0; i < sizeof call_rows / sizeof *call_rows; i++) {
                (void) printf("%d %d %s\n", call_make(&call_rows[i], NULL),
                              call_rows[i].refusal ? call_rows[i].refusal : call_rows[i].policy,
                              call_rows[i].name);
                (void) fflush(stdout);
        }
        return 0;
}
