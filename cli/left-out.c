/* left-out: see left-out.h. */
#include "cli/left-out.h"

#include <inttypes.h>

#include "cli/terminal.h"

#define NAMED_MAX 5

void left_out_add(uint64_t *n, const char *path) {
        if ((*n)++ < NAMED_MAX)
                terminal_say("left out, not readable: %s", path);
}

void left_out_end(uint64_t n) {
        if (n > NAMED_MAX)
                terminal_say("left out, not readable: %" PRIu64 " more", n - NAMED_MAX);
}
