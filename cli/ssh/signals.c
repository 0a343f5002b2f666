/*
 * signals: see signals.h.
 */
#include "cli/ssh/signals.h"

#include <signal.h>
#include <string.h>

#include "base/owned.h"

static const struct {
        const char *name;
        int number;
} rows[] = {
        { "ABRT", SIGABRT }, { "ALRM", SIGALRM }, { "FPE", SIGFPE },   { "HUP", SIGHUP },
        { "ILL", SIGILL },   { "INT", SIGINT },   { "KILL", SIGKILL }, { "PIPE", SIGPIPE },
        { "QUIT", SIGQUIT }, { "SEGV", SIGSEGV }, { "TERM", SIGTERM }, { "USR1", SIGUSR1 },
        { "USR2", SIGUSR2 },
};

const char *signal_name(int signal) {
        for (unsigned i = 0; i < ELEMENTS(rows); i++)
                if (rows[i].number == signal)
                        return rows[i].name;
        return NULL;
}

int signal_number(const char *name) {
        for (unsigned i = 0; i < ELEMENTS(rows); i++)
                if (strcmp(rows[i].name, name) == 0)
                        return rows[i].number;
        return 0;
}
