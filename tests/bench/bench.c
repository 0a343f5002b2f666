/*
 * bench: what a jail costs, as ratios to a plain posix_spawn of the same static binary, all rows from one
 * interleaved run. Medians; the order of the rows is turned by one each round, because what ran just
 * before moves the cost of cgroup work (the kernel's RCU waits). After it tables of their own: clients side by side, a
 * thousand jails, a build and loops inside and outside, and the machine.
 *
 *   bench BUILD SOURCE [ROUNDS [PART]]
 *
 * BUILD and SOURCE are directories of this tree. PART: gate (the gate's rows alone), jails (the others of the first
 * table), load, many, work. Rounds end early after ROUNDS_SECONDS. Starts three private supervisors of its own: with
 * shells made ahead, without, and with pools. Needs root, busybox (static) at /bin/busybox; a peer that is not installed is left
 * out by name, and so is a row that fails, with its reason.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/bench/gate.h"
#include "tests/bench/jail-rows.h"
#include "tests/bench/load.h"
#include "tests/bench/many.h"
#include "tests/bench/peers.h"
#include "tests/bench/work.h"

#define ROUNDS_SECONDS 200
#define PAUSE_MSEC     30
#define MANY           1000

extern char **environ;

uint64_t bench_now(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
        const uint64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

void bench_sort(uint64_t *times, unsigned n) {
        qsort(times, n, sizeof(*times), by_value);
}

/*
 * What spawned programs have for input and outputs. crun and runc give theirs to the container's user: with
 * /dev/null among them, that of the host changed hands.
 */
static int empty_sink(Error *err) {
        static int sink = -1;

        if (sink < 0)
                sink = memfd_create("output", MFD_CLOEXEC);
        if (sink < 0 || ftruncate(sink, 0) < 0 || lseek(sink, 0, SEEK_SET) < 0)
                return error_set(err, -errno, "make a place for output");
        return sink;
}

static void tell_last_words(int sink) {
        char words[2048];
        off_t end = lseek(sink, 0, SEEK_END);
        ssize_t n = pread(sink, words, sizeof(words),
                          end > (off_t) sizeof(words) ? end - (off_t) sizeof(words) : 0);

        if (n > 0)
                (void) fwrite(words, 1, (size_t) n, stderr);
}

int bench_spawn_in(const char *dir, const char *const *argv, Error *err) {
        posix_spawn_file_actions_t actions;
        int status, r, sink = empty_sink(err);
        pid_t pid;

        if (sink < 0)
                return sink;
        (void) posix_spawn_file_actions_init(&actions);
        for (int fd = 0; fd <= 2; fd++)
                (void) posix_spawn_file_actions_adddup2(&actions, sink, fd);
        if (dir)
                (void) posix_spawn_file_actions_addchdir_np(&actions, dir);
        r = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *) (uintptr_t) argv, environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                return error_set(err, -r, "spawn %s", argv[0]);
        if (waitpid(pid, &status, 0) < 0)
                return error_set(err, -errno, "wait for %s", argv[0]);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        tell_last_words(sink);
        return error_say(err, -EIO, "%s ended with wait status %d", argv[0], status);
}

int bench_spawn(const char *const *argv, Error *err) {
        return bench_spawn_in(NULL, argv, err);
}

int bench_shell(const char *script, const char *dir, Error *err) {
        const char *argv[] = { "/bin/sh", "-euc", script, "sh", dir, NULL };

        return bench_spawn(argv, err);
}

/* ---- the first table ------------------------------------------------------------------------------ */

static void print_table(Row *rows, unsigned n_rows) {
        double base;

        for (unsigned i = 0; i < n_rows; i++)
                bench_sort(rows[i].times, rows[i].n);
        base = rows[0].n > 0 ? (double) rows[0].times[rows[0].n / 2] : 1;
        printf("| %-52s | median ms | min ms | p99 ms | x posix_spawn |\n|%.54s|---|---|---|---|\n",
               "work", "------------------------------------------------------");
        for (unsigned i = 0; i < n_rows; i++) {
                const Row *row = &rows[i];

                if (row->other)
                        continue;
                if (row->n == 0) {
                        printf("| %-52s | left out: %s | | | |\n", row->name,
                               row->skip ? row->skip : "no round");
                        continue;
                }
                printf("| %-52s | %9.3f | %6.3f | %6.3f | %8.2f |\n", row->name,
                       (double) row->times[row->n / 2] / 1e6, (double) row->times[0] / 1e6,
                       (double) row->times[row->n * 99 / 100] / 1e6,
                       (double) row->times[row->n / 2] / base);
        }
        (void) fflush(stdout);
}

static int run_batch(Bench *bench, Row *row, Error *err) {
        unsigned batch = row->batch ? row->batch : 1;
        int r = 0;

        for (unsigned i = 0; i < batch && r >= 0; i++) {
                uint64_t start = bench_now();

                r = row->run(bench, err);
                if (r >= 0 && row->n < SAMPLES_MAX)
                        row->times[row->n++] = bench_now() - start;
        }
        return r;
}

static void run_row(Bench *bench, Row *row) {
        const struct timespec pause = { .tv_nsec = PAUSE_MSEC * 1000000L };
        Error err = ERROR_EMPTY;
        int r = row->before ? row->before(bench, &err) : 0;

        (void) nanosleep(&pause, NULL); /* let shells be refilled, off the clock */
        if (r >= 0)
                r = run_batch(bench, row, &err);
        if (r >= 0 && row->after)
                r = row->after(bench, &err);
        if (r >= 0)
                return;
        (void) fprintf(stderr, "bench: %s: %s\n", row->name, err.text);
        (void) snprintf(row->fault, sizeof(row->fault), "%s", err.text);
        row->skip = row->fault;
        row->n = 0;
}

static void run_rounds(Bench *bench, Row *rows, unsigned n_rows, unsigned rounds) {
        uint64_t end = bench_now() + ROUNDS_SECONDS * 1000000000ull;

        for (unsigned round = 0; round < rounds && bench_now() < end; round++) {
                for (unsigned i = 0; i < n_rows; i++) {
                        Row *row = &rows[(i + round) % n_rows];

                        if (!row->skip && !row->other &&
                            (row->every == 0 || round % row->every == 0))
                                run_row(bench, row);
                }
        }
}

static Row rows[] = {
        { .name = "posix_spawn of the same static binary", .run = peer_spawn },
        { .name = "create+true+destroy, out of a pool, host root",
          .run = jail_pooled_host,
          .before = jail_pool_fill,
          .after = jail_pool_fill,
          .batch = POOL_SIZE },
        { .name = "create+true+destroy, out of a pool, imported root",
          .run = jail_pooled_imported,
          .before = jail_pool_fill,
          .after = jail_pool_fill,
          .batch = POOL_SIZE },
        { .name = "create+true+destroy, from a shell, host root", .run = jail_cold_host },
        { .name = "create+true+destroy, from a shell, imported root", .run = jail_cold_imported },
        { .name = "... of 475 MB: a fresh writable copy", .run = jail_cold_middle },
        { .name = "... of 2 GB", .run = jail_cold_large },
        { .name = "create+true+destroy, without a shell, host root", .run = jail_without_host },
        { .name = "create+true+destroy, without a shell, imported root",
          .run = jail_without_imported },
        { .name = "warder run --no-work, from a shell, host root", .run = jail_command },
        { .name = "warder run --no-work, out of a pool, host root",
          .run = jail_command_pooled,
          .before = jail_pool_fill,
          .after = jail_pool_fill },
        { .name = "warder --version: the command's own start", .run = jail_version },
        { .name = "bwrap, all namespaces, read-only root", .run = peer_bwrap, .program = "bwrap" },
        { .name = "crun run: namespaces, ids, filter, memory, pids",
          .run = peer_crun,
          .program = "crun" },
        { .name = "runc run, the same", .run = peer_runc, .program = "runc", .every = 4 },
        { .name = "nsjail: namespaces, ids, memory, pids",
          .run = peer_nsjail,
          .program = "nsjail" },
        { .name = "systemd-nspawn", .run = peer_nspawn, .program = "systemd-nspawn", .every = 10 },
        { .name = "exec in a live jail", .run = jail_exec },
        { .name = "crun exec", .run = peer_crun_exec, .program = "crun" },
        { .name = "nsenter", .run = peer_nsenter, .program = "nsenter" },
        { .name = "an overlay by hand on 475 MB, mounted and unmounted", .run = peer_overlay },
        { .name = "cp -a of 475 MB", .run = peer_copy, .program = "cp", .every = 40 },
        { .name = "the command of the next two rows, in a jail, not judged", .run = gate_command },
        { .name = "one verify turn, 1,000 files", .run = gate_turn_small },
        { .name = "one verify turn, 50,000 files", .run = gate_turn_large },
        { .name = "a base of 1,000 files taken in, and its first turn",
          .run = gate_first,
          .every = 10 },
        { .name = "ten hunks proved, one after the other", .run = gate_proof_alone, .every = 10 },
        { .name = "ten hunks proved, side by side", .run = gate_proof, .every = 10 },
        { .name = "git diff, 1,000 files, one changed", .run = gate_git_diff, .program = "git" },
        { .name = "warder-files diff, the same", .run = gate_diff },
        { .name = "git apply, 1,000 files, one changed",
          .run = gate_git_apply,
          .before = gate_back,
          .program = "git" },
        { .name = "warder-files apply, the same, with the tree's digest",
          .run = gate_apply,
          .before = gate_back },
};

/* ---- parts ---------------------------------------------------------------------------------------- */

static void choose_rows(const char *part) {
        bool is_gate = false;

        for (unsigned i = 0; i < ELEMENTS(rows); i++) {
                is_gate |= rows[i].run == gate_command;
                if (i > 0 && part && (strcmp(part, "gate") == 0) != is_gate)
                        rows[i].other = true;
                if (!rows[i].program || peer_is_there(rows[i].program))
                        continue;
                (void) snprintf(rows[i].fault, sizeof(rows[i].fault), "%s is not installed",
                                rows[i].program);
                rows[i].skip = rows[i].fault;
        }
}

static void print_machine(void) {
        char line[160], model[160] = "a processor";
        FILE *file = fopen("/proc/cpuinfo", "re");
        struct utsname name = { 0 };

        while (file && fgets(line, sizeof(line), file))
                if (sscanf(line, "model name : %159[^\n]", model) == 1)
                        break;
        if (file)
                (void) fclose(file);
        (void) uname(&name);
        printf("\nMeasured on Linux %s, %s, %ld of them for us, %.0f GB of memory.\n", name.release,
               model, sysconf(_SC_NPROCESSORS_ONLN),
               (double) sysconf(_SC_PHYS_PAGES) * (double) sysconf(_SC_PAGESIZE) / 1e9);
}

static int start_servers(Bench *bench, Error *err) {
        int r = server_start(bench, &bench->with, "with", "8", err);

        if (r == 0)
                r = server_start(bench, &bench->without, "without", "0", err);
        return r == 0 ? server_start(bench, &bench->pooled, "pooled", "4", err) : r;
}

static int run_parts(Bench *bench, unsigned rounds, const char *part, Error *err) {
        bool all = !part, first = all || strcmp(part, "gate") == 0 || strcmp(part, "jails") == 0;
        int r = start_servers(bench, err);

        if (r >= 0)
                r = jail_rows_prepare(bench, err);
        if (r >= 0)
                r = peers_prepare(bench, err);
        if (r >= 0 && first && (all || strcmp(part, "gate") == 0))
                r = gate_inputs(bench, err);
        if (r < 0)
                return r;
        if (first) {
                choose_rows(part);
                run_rounds(bench, rows, ELEMENTS(rows), rounds);
                print_table(rows, ELEMENTS(rows));
        }
        server_stop(&bench->pooled);
        server_stop(&bench->without);
        if (all || strcmp(part, "load") == 0)
                load_run(bench);
        if (all || strcmp(part, "work") == 0)
                work_run(bench);
        if (all || strcmp(part, "many") == 0)
                many_run(bench, MANY);
        print_machine();
        return 0;
}

_Noreturn static void child(Bench *bench, unsigned rounds, const char *part) {
        Error err = ERROR_EMPTY;
        int r;

        (void) signal(SIGINT, SIG_DFL);
        (void) signal(SIGTERM, SIG_DFL);
        (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
        r = run_parts(bench, rounds, part, &err);
        if (r < 0)
                (void) fprintf(stderr, "bench: %s\n", err.text);
        peers_stop(bench);
        server_stop(&bench->with);
        server_stop(&bench->without);
        server_stop(&bench->pooled);
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

int main(int argc, char **argv) {
        static Bench bench = { .dir = "/tmp/warder-bench-XXXXXX" };
        unsigned rounds = argc > 3 ? (unsigned) strtoul(argv[3], NULL, 10) : 100;
        Error err = ERROR_EMPTY;
        int r;

        if (argc < 3 || rounds == 0 || rounds > ROUNDS_MAX) {
                (void) fprintf(stderr,
                               "usage: bench BUILD SOURCE [ROUNDS, at most %d "
                               "[gate|jails|load|work|many]]\n",
                               ROUNDS_MAX);
                return 2;
        }
        if (access(BUSYBOX, X_OK) < 0) {
                (void) fprintf(stderr, "bench: %s is missing: install busybox-static\n", BUSYBOX);
                return 2;
        }
        bench.libexec = argv[1];
        bench.source = argv[2];
        if (!mkdtemp(bench.dir))
                return 1;
        r = run_child(&bench, rounds, argc > 4 ? argv[4] : NULL);
        peers_clean(&bench);
        (void) bench_shell("rm -rf \"$1\"", bench.dir, &err);
        return r;
}
