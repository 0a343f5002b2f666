/*
 * bench: what jails cost beside processes and beside other sandboxes. Each table is one interleaved run of all its rows,
 * printed in Markdown with the median, the least and ratios, so that a run on a busy machine can be judged.
 *
 *   bench BUILD SOURCE [ROUNDS [PART]]
 *
 * BUILD and SOURCE are directories of this tree. A PART of the table below alone, or all that are for every run. Starts
 * private supervisors of its own: with shells made ahead, without, and with pools. Needs root, busybox (static) at
 * /bin/busybox; a peer that is not installed is left out by name, and so is a row that fails, with its reason.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/bench/copies.h"
#include "tests/bench/figures.h"
#include "tests/bench/gate.h"
#include "tests/bench/hops.h"
#include "tests/bench/jail-rows.h"
#include "tests/bench/load.h"
#include "tests/bench/machine.h"
#include "tests/bench/many.h"
#include "tests/bench/peers.h"
#include "tests/bench/spawn.h"
#include "tests/bench/work.h"

static void run_rows(Bench *bench, unsigned rounds) {
        jail_rows_run(bench, rounds);
        server_stop(&bench->pooled);
        server_stop(&bench->without);
}

static void run_load(Bench *bench, unsigned rounds) {
        (void) rounds;
        load_run(bench);
}

static void run_many(Bench *bench, unsigned rounds) {
        (void) rounds;
        many_run(bench);
}

static void run_work(Bench *bench, unsigned rounds) {
        (void) rounds;
        work_run(bench);
}

static const struct Part {
        const char *name;
        bool asked;                               /* only where it is named */
        int (*prepare)(Bench *bench, Error *err); /* NULL: nothing */
        void (*run)(Bench *bench, unsigned rounds);
} parts[] = {
        { "jails", false, NULL, run_rows },
        { "many", false, NULL, run_many }, /* before load: see many.h */
        { "load", false, NULL, run_load },
        { "work", false, NULL, run_work },
        { "copies", false, copies_prepare, copies_run },
        { "gate", true, gate_prepare, gate_run },
};

static int start_servers(Bench *bench, Error *err) {
        int r = server_start(bench, &bench->with, "with", "8", err);

        if (r == 0)
                r = server_start(bench, &bench->without, "without", "0", err);
        if (r == 0)
                r = server_start(bench, &bench->pooled, "pooled", "4", err);
        if (r == 0)
                r = hops_prepare(err);
        if (r == 0)
                r = jail_rows_prepare(bench, err);
        return r < 0 ? r : peers_prepare(bench, err);
}

static int run_parts(Bench *bench, unsigned rounds, const char *name, Error *err) {
        int r = start_servers(bench, err);
        uint64_t start;

        for (unsigned i = 0; i < ELEMENTS(parts) && r >= 0; i++) {
                if (name ? strcmp(name, parts[i].name) != 0 : parts[i].asked)
                        continue;
                start = figures_now();
                r = parts[i].prepare ? parts[i].prepare(bench, err) : 0;
                if (r >= 0)
                        parts[i].run(bench, rounds);
                (void) fprintf(stderr, "bench: %s took %.0f s\n", parts[i].name,
                               (double) (figures_now() - start) / 1e9);
        }
        return r;
}

_Noreturn static void child(Bench *bench, unsigned rounds, const char *part) {
        Error err = ERROR_EMPTY;
        int r;

        (void) signal(SIGINT, SIG_DFL);
        (void) signal(SIGTERM, SIG_DFL);
        (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
        machine_before();
        r = run_parts(bench, rounds, part, &err);
        if (r < 0)
                (void) fprintf(stderr, "bench: %s\n", err.text);
        hops_stop();
        peers_stop();
        server_stop(&bench->with);
        server_stop(&bench->without);
        server_stop(&bench->pooled);
        machine_print();
        (void) fflush(stdout);
        _exit(r < 0);
}

static volatile sig_atomic_t child_pid;

static void on_signal(int number) {
        (void) kill((pid_t) child_pid, number);
}

/* What is ended from outside is cleared away all the same: by us, who outlive it. Returns: exit code */
static int run_child(Bench *bench, unsigned rounds, const char *part) {
        int status = 0;

        (void) signal(SIGINT, on_signal);
        (void) signal(SIGTERM, on_signal);
        child_pid = fork();
        if (child_pid == 0)
                child(bench, rounds, part);
        while (child_pid > 0 && waitpid((pid_t) child_pid, &status, 0) < 0 && errno == EINTR)
                ;
        return child_pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Mounts of our own, which go with us however we end; among them the directory "memory" below the bench's. */
static int make_places(Bench *bench) {
        char memory[96];

        if (!mkdtemp(bench->dir))
                return -errno;
        (void) snprintf(memory, sizeof(memory), "%s/memory", bench->dir);
        if (chmod(bench->dir, 0755) < 0 || mkdir(memory, 0755) < 0 || unshare(CLONE_NEWNS) < 0 ||
            mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
            mount("bench", memory, "tmpfs", 0, "nr_inodes=1m") < 0)
                return -errno;
        return 0;
}

static bool is_part(const char *name) {
        for (unsigned i = 0; i < ELEMENTS(parts); i++)
                if (strcmp(name, parts[i].name) == 0)
                        return true;
        return false;
}

/* Why it cannot run here; NULL: it can */
static const char *lacks(void) {
        if (access(BUSYBOX, X_OK) < 0)
                return BUSYBOX " is missing: install busybox-static";
        if (geteuid() != 0)
                return "it needs root, to make jails and containers";
        if (!spawn_null_is_whole())
                return "the host's /dev/null is not root's with mode 0666: mend that first";
        return NULL;
}

int main(int argc, char **argv) {
        static Bench bench = { .dir = "/tmp/warder-bench-XXXXXX" };
        unsigned rounds = argc > 3 ? (unsigned) strtoul(argv[3], NULL, 10) : 80;
        Error err = ERROR_EMPTY;
        int r;

        if (argc < 3 || rounds == 0 || rounds > ROUNDS_MAX || (argc > 4 && !is_part(argv[4]))) {
                (void) fprintf(stderr, "usage: bench BUILD SOURCE [ROUNDS, at most %d [PART]]\n",
                               ROUNDS_MAX);
                return 2;
        }
        if (lacks()) {
                (void) fprintf(stderr, "bench: %s\n", lacks());
                return 2;
        }
        bench.libexec = argv[1];
        bench.source = argv[2];
        r = make_places(&bench);
        if (r < 0)
                (void) fprintf(stderr, "bench: no place to work in: %s\n", strerror(-r));
        r = r < 0 ? 1 : run_child(&bench, rounds, argc > 4 ? argv[4] : NULL);
        peers_clean(&bench);
        (void) spawn_shell("umount -l \"$1/memory\"; rm -rf \"$1\"", bench.dir, &err);
        if (!spawn_null_is_whole()) {
                (void) fprintf(stderr, "bench: a peer changed the host's /dev/null: root must own "
                                       "it, mode 0666\n");
                return 1;
        }
        return r;
}
