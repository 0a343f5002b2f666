/*
 * Jails through the library: host root, commands and how they end, limits, what is left behind.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/jail/rig.h"
#include "tests/tap.h"

static Rig rig;

static void test_true(void) {
        static const char *const argv[] = { "true", NULL };
        const Command command = { .argv = argv, .uid = JAIL_USER_ID };
        Plan plan = rig_plan();
        Cage cage = cage_host(&rig, &plan);
        Outcome outcome = cage_run(&cage, &command);

        printf("# code %d signal %d step %u\n", outcome.end.code, outcome.end.signal,
               outcome.end.step);
        outcome_free(&outcome);
        cage_end(&cage);
}

int main(void) {
        if (geteuid() != 0) {
                printf("1..0 # SKIP needs root\n");
                return 0;
        }
        rig_start(&rig);
        test_true();
        rig_end(&rig);
        return tap_end();
}
