/*
 * copy: see copy.h.
 */
#include "sandbox/init/copy.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/copy-receive.h"

#define UMASK 022

static int report(const Error *err) {
        (void) dprintf(STDERR_FILENO, "%s\n", err->text);
        return 1;
}

int copy_run(unsigned argc, char *const *argv) {
        Error err = ERROR_EMPTY;
        uint64_t skipped = 0;

        (void) prctl(PR_SET_NAME, "warder-copy");
        (void) close_range(3, ~0u, 0);
        (void) signal(SIGPIPE, SIG_IGN); /* to remove what is half there */
        (void) signal(SIGXFSZ, SIG_IGN);
        if (argc == 3 && strcmp(argv[1], "out") == 0)
                return copy_send(STDOUT_FILENO, argv[2], NULL, NULL, &err) < 0 ? report(&err) : 0;
        if (argc == 4 && (strcmp(argv[1], "in") == 0 || strcmp(argv[1], "into") == 0)) {
                const CopyReceive how = { .from = STDIN_FILENO,
                                          .place = argv[2],
                                          .name = argv[3],
                                          .merge = argv[1][2] != 0,
                                          .umask = UMASK,
                                          .max_bytes = UINT64_MAX };

                return copy_receive(&how, &skipped, &err) < 0 ? report(&err) : 0;
        }
        return 2;
}
