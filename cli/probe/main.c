/*
 * warder-probe: attacks on the jail that it runs in, one line on stdout for each:
 *
 *     NAME <tab> WHAT IS TRIED <tab> OUTCOME <tab> WALL <tab> EVIDENCE
 *     end <tab> NUMBER OF LINES BEFORE
 *
 * "warder doctor --attack" runs it and reads that as data. It has no privilege and needs no file of the jail:
 * it is static. Each row of the tables is tried in a process of its own with a time limit; what ends in a way
 * that proves nothing is "unclear", which counts as not held.
 *
 *     warder-probe run [harmless] [pid=N] [port=N] [abstract=NAME]
 *     warder-probe list | plant | euid | exhaust WAY
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"
#include "cli/probe/calls.h"
#include "cli/probe/exhaust.h"
#include "cli/probe/files.h"
#include "cli/probe/network.h"
#include "cli/probe/plants.h"
#include "cli/probe/processes.h"

#define TRY_MSEC   5000
#define EXIT_USAGE 2
#define COPY_BYTES 65536

static const Probe *const tables[] = { call_probes, file_probes, process_probes, network_probes };

static const char *const outcome_names[_OUTCOME_MAX] = {
        [OUTCOME_HELD] = "held",
        [OUTCOME_THROUGH] = "through",
        [OUTCOME_NOT_TRIED] = "not-tried",
        [OUTCOME_UNCLEAR] = "unclear",
};

static const char *const wall_names[_WALL_MAX] = {
        [WALL_NONE] = "-",
        [WALL_FILTER] = "filter",
        [WALL_CAPABILITY] = "capability",
        [WALL_NAMESPACE] = "namespace",
        [WALL_LIMIT] = "limit",
        [WALL_MOUNT] = "mount",
        [WALL_LANDLOCK] = "landlock",
        [WALL_IDS] = "ids",
        [WALL_ABSENT] = "absent",
};

static const char *const harm_names[_HARM_MAX] = { [HARMLESS] = "harmless", [SCRATCH] = "scratch" };

/* ---- one row in a process of its own ------------------------------------------------------------- */

static void try_in_child(const Probe *probe, const ProbeFacts *facts, int out) {
        Finding finding = { .outcome = OUTCOME_UNCLEAR };

        (void) prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        probe->run(probe, facts, &finding);
        _exit(write(out, &finding, sizeof(finding)) == (ssize_t) sizeof(finding) ? 0 : 1);
}

/* How a process ended that said nothing */
static void judge_end(int status, Finding *ret) {
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) {
                finding_held(ret, WALL_FILTER, 0, "SIGSYS");
                return;
        }
        *ret = (Finding){ .outcome = OUTCOME_UNCLEAR };
        if (WIFSIGNALED(status))
                (void) snprintf(ret->text, sizeof(ret->text), "ended by signal %d",
                                WTERMSIG(status));
        else
                (void) snprintf(ret->text, sizeof(ret->text), "ended with code %d",
                                WEXITSTATUS(status));
}

static void try_row(const Probe *probe, const ProbeFacts *facts, Finding *ret) {
        struct pollfd ready = { .events = POLLIN };
        int ends[2], status = 0;
        ssize_t n = 0;
        pid_t pid;

        if (pipe2(ends, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
                *ret = (Finding){ .outcome = OUTCOME_UNCLEAR, .error = errno };
                return;
        }
        if (pid == 0)
                try_in_child(probe, facts, ends[1]);
        (void) close(ends[1]);
        ready.fd = ends[0];
        if (poll(&ready, 1, TRY_MSEC) > 0)
                n = read(ends[0], ret, sizeof(*ret));
        else
                (void) kill(pid, SIGKILL);
        (void) close(ends[0]);
        (void) waitpid(pid, &status, 0);
        if (n != (ssize_t) sizeof(*ret) || ret->outcome >= _OUTCOME_MAX || ret->wall >= _WALL_MAX)
                judge_end(status, ret);
        ret->text[sizeof(ret->text) - 1] = 0;
}

static void print_row(const Probe *probe, const Finding *finding) {
        const char *error = finding->error ? strerrorname_np(finding->error) : NULL;

        (void) printf("%s\t%s\t%s\t%s\t%s%s%s\n", probe->name, probe->tried,
                      outcome_names[finding->outcome], wall_names[finding->wall],
                      error ? error : "", error && finding->text[0] ? ": " : "", finding->text);
        (void) fflush(stdout);
}

/* ---- the words ----------------------------------------------------------------------------------- */

/* Returns: 0, or EXIT_USAGE where a word is unknown */
static int read_facts(char **words, ProbeFacts *facts, bool *ret_harmless) {
        for (; *words; words++) {
                if (strcmp(*words, "harmless") == 0)
                        *ret_harmless = true;
                else if (strncmp(*words, "pid=", 4) == 0)
                        facts->host_pid = strtoll(*words + 4, NULL, 10);
                else if (strncmp(*words, "port=", 5) == 0)
                        facts->host_port = strtoull(*words + 5, NULL, 10);
                else if (strncmp(*words, "abstract=", 9) == 0)
                        facts->host_abstract = *words + 9;
                else
                        return EXIT_USAGE;
        }
        return 0;
}

static int run_all(char **words) {
        ProbeFacts facts = { 0 };
        bool harmless = false;
        Finding finding;
        unsigned n = 0;

        if (read_facts(words, &facts, &harmless) != 0)
                return EXIT_USAGE;
        for (unsigned i = 0; i < ELEMENTS(tables); i++) {
                for (const Probe *probe = tables[i]; probe->name; probe++) {
                        if (harmless && probe->harm != HARMLESS)
                                continue;
                        try_row(probe, &facts, &finding);
                        print_row(probe, &finding);
                        n++;
                }
        }
        (void) printf("end\t%u\n", n);
        return 0;
}

static int list_all(char **words) {
        (void) words;
        for (unsigned i = 0; i < ELEMENTS(tables); i++)
                for (const Probe *probe = tables[i]; probe->name; probe++)
                        (void) printf("%s\t%s\t%s\n", probe->name, harm_names[probe->harm],
                                      probe->tried);
        return 0;
}

/* A copy of this program that belongs to whoever runs this, set-id */
static int plant(char **words) {
        int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        int to = open(SET_ID_PROGRAM, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
        char bytes[COPY_BYTES];
        ssize_t n = -1;

        (void) words;
        while (from >= 0 && to >= 0 && (n = read(from, bytes, sizeof(bytes))) > 0)
                if (write(to, bytes, (size_t) n) != n)
                        return 1;
        return n == 0 && fchmod(to, 04755) == 0 ? plants_make() : 1;
}

static int tell_euid(char **words) {
        (void) words;
        return geteuid() == 0 ? 0 : 1;
}

static int exhaust(char **words) {
        return *words ? exhaust_run(*words) : EXIT_USAGE;
}

int main(int argc, char **argv) {
        static const struct {
                const char *word;
                int (*run)(char **words);
        } words[] = { { "run", run_all },
                      { "list", list_all },
                      { "plant", plant },
                      { "euid", tell_euid },
                      { "exhaust", exhaust } };

        for (unsigned i = 0; argc > 1 && i < ELEMENTS(words); i++)
                if (strcmp(words[i].word, argv[1]) == 0)
                        return words[i].run(argv + 2);
        (void) fputs("usage: warder-probe run [WORD...] | list | plant | euid | exhaust WAY\n",
                     stderr);
        return EXIT_USAGE;
}
