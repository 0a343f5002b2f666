/*
 * bench: what a jail costs, as ratios to a plain posix_spawn of the same static binary, all rows from one
 * interleaved run. Medians; the order of the rows is turned by one each round, because what ran just
 * before moves the cost of cgroup work (the kernel's RCU waits).
 *
 *   bench BUILD SOURCE [ROUNDS [gate]]
 *
 * BUILD and SOURCE are directories of this tree. With the word gate: the gate's rows alone. Starts two private supervisors of its own: one with shells made ahead,
 * one without. Needs root, busybox (static) at /bin/busybox; a peer that is not installed is left out by name.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#include "base/units.h"
#include "tests/bench/bench.h"
#include "tests/bench/gate.h"

extern char **environ;

static uint64_t now_nsec(void) {
        struct timespec t;

        (void) clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

int bench_spawn(const char *const *argv, Error *err) {
        posix_spawn_file_actions_t actions;
        pid_t pid;
        int status, r;

        (void) posix_spawn_file_actions_init(&actions);
        (void) posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
        (void) posix_spawn_file_actions_adddup2(&actions, 0, 1);
        r = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *) (uintptr_t) argv, environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                return error_set(err, -r, "spawn %s", argv[0]);
        if (waitpid(pid, &status, 0) < 0)
                return error_set(err, -errno, "wait for %s", argv[0]);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
                return error_say(err, -EIO, "%s ended with wait status %d", argv[0], status);
        return 0;
}

int bench_call(Server *server, const char *method, const char *params, const int *fds, unsigned n,
               cJSON **ret, Error *err) {
        static uint64_t id;
        RpcMessage answer = RPC_MESSAGE_EMPTY;
        cJSON *result = NULL;
        cJSON *tree = cJSON_Parse(params);
        int r;

        if (!tree)
                return error_say(err, -EINVAL, "bench: parameters of %s are no JSON", method);
        r = rpc_call(server->peer, rpc_request(++id, method, tree), fds, n, NULL, NULL, &answer,
                     err);
        if (r < 0)
                return r;
        result = cJSON_DetachItemFromObjectCaseSensitive(answer.json, "result");
        if (!result) {
                autofree char *text = json_print(answer.json);

                rpc_message_deinit(&answer);
                return error_say(err, -EIO, "%s: %s", method, text ? text : "no memory");
        }
        rpc_message_deinit(&answer);
        if (ret)
                *ret = result;
        else
                cJSON_Delete(result);
        return 0;
}

/* ---- rows ------------------------------------------------------------------------------------------ */

static const char *const busybox_true[] = { BUSYBOX, "true", NULL };

static int run_spawn(Bench *bench, Error *err) {
        (void) bench;
        return bench_spawn(busybox_true, err);
}

static int run_bwrap(Bench *bench, Error *err) {
        static const char *const argv[] = { "bwrap",     "--unshare-all", "--ro-bind", "/usr",
                                            "/usr",      "--symlink",     "usr/bin",   "/bin",
                                            "--symlink", "usr/lib",       "/lib",      "--symlink",
                                            "usr/lib64", "/lib64",        "--proc",    "/proc",
                                            "--dev",     "/dev",          "--tmpfs",   "/tmp",
                                            BUSYBOX,     "true",          NULL };

        (void) bench;
        return bench_spawn(argv, err);
}

#define EXEC_TRUE "\"argv\":[\"" BUSYBOX "\",\"true\"],\"stdio\":[\"null\",\"null\",\"null\"]"

int bench_check_exited(const cJSON *record, Error *err) {
        const char *cause = json_text(record, "cause");
        autofree char *text = NULL;

        if (cause && strcmp(cause, "exited") == 0)
                return 0;
        text = json_print(record);
        return error_say(err, -EIO, "the command did not exit: %s", text ? text : "no memory");
}

static int create_true(Server *server, const char *root, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        char params[512];
        int r;

        (void) snprintf(params, sizeof(params), "{\"snapshot\":\"%s\",\"exec\":{" EXEC_TRUE "}}",
                        root);
        r = bench_call(server, "jail.create", params, NULL, 0, &result, err);
        return r < 0 ? r : bench_check_exited(json_get(result, "command"), err);
}

static int run_cold_host(Bench *bench, Error *err) {
        return create_true(&bench->with, "host", err);
}

static int run_cold_imported(Bench *bench, Error *err) {
        return create_true(&bench->with, "busybox", err);
}

static int run_without_host(Bench *bench, Error *err) {
        return create_true(&bench->without, "host", err);
}

static int run_without_imported(Bench *bench, Error *err) {
        return create_true(&bench->without, "busybox", err);
}

static int run_command_line(Bench *bench, Error *err) {
        char program[256], socket[256];
        const char *argv[] = { program, "--socket", socket, "run", "--no-work",
                               "--",    BUSYBOX,    "true", NULL };

        (void) snprintf(program, sizeof(program), "%s/cli/warder", bench->libexec);
        (void) snprintf(socket, sizeof(socket), "%s/warder.sock", bench->with.run);
        return bench_spawn(argv, err);
}

static int run_exec(Bench *bench, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        char params[256];
        int r;

        (void) snprintf(params, sizeof(params), "{\"jail\":\"%s\"," EXEC_TRUE "}",
                        bench->with.live);
        r = bench_call(&bench->with, "jail.exec", params, NULL, 0, &result, err);
        return r < 0 ? r : bench_check_exited(result, err);
}

/* ---- set-up and end -------------------------------------------------------------------------------- */

static int server_connect(Server *server, Error *err) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/warder.sock", server->run);
        if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0) {
                int r = error_set(err, -errno, "connect to %s", address.sun_path);

                if (fd >= 0)
                        (void) close(fd);
                return r;
        }
        return rpc_peer_new_consume(fd, &server->peer);
}

static int server_start(Bench *bench, Server *server, const char *shells, Error *err) {
        char program[256], run[140], state[160], ready[16], data[256], policies[256], log[128],
                byte;
        posix_spawn_file_actions_t actions;
        int pipe_fds[2], r;
        const char *argv[] = { program,
                               "--private",
                               "--instance",
                               server->instance,
                               "--run-dir",
                               run,
                               "--state-dir",
                               state,
                               "--libexec-dir",
                               bench->libexec,
                               "--data-dir",
                               data,
                               "--policies-dir",
                               policies,
                               "--shells",
                               shells,
                               "--ready-fd",
                               ready,
                               NULL };

        (void) snprintf(program, sizeof(program), "%s/supervisor/monitor/warderd", bench->libexec);
        (void) snprintf(server->instance, sizeof(server->instance), "bench-%d-%s", (int) getpid(),
                        shells);
        (void) snprintf(server->run, sizeof(server->run), "%s/run-%s", bench->dir, shells);
        (void) snprintf(run, sizeof(run), "%s", server->run);
        (void) snprintf(state, sizeof(state), "%s/state-%s", bench->dir, shells);
        (void) snprintf(data, sizeof(data), "%s/agent", bench->source);
        (void) snprintf(policies, sizeof(policies), "%s/policies", bench->source);
        if (pipe(pipe_fds) < 0)
                return error_set(err, -errno, "make a pipe");
        (void) snprintf(ready, sizeof(ready), "%d", pipe_fds[1]);
        (void) posix_spawn_file_actions_init(&actions);
        (void) snprintf(log, sizeof(log), "%s/log-%s", bench->dir, shells);
        (void) posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT, 0600);
        r = posix_spawn(&server->pid, program, &actions, NULL, (char *const *) (uintptr_t) argv,
                        environ);
        (void) posix_spawn_file_actions_destroy(&actions);
        if (r != 0)
                return error_say(err, -ENOENT, "bench: %s cannot be started: build first", program);
        (void) close(pipe_fds[1]);
        if (read(pipe_fds[0], &byte, 1) != 1)
                return error_say(err, -EIO,
                                 "bench: the supervisor did not become ready; try it by hand for "
                                 "its reason");
        (void) close(pipe_fds[0]);
        return server_connect(server, err);
}

static void server_stop(Server *server) {
        server->peer = rpc_peer_free(server->peer);
        free(server->live);
        if (server->pid > 0) {
                (void) kill(server->pid, SIGTERM);
                (void) waitpid(server->pid, NULL, 0);
        }
}

int bench_shell(const char *script, const char *dir, Error *err) {
        const char *argv[] = { "/bin/sh", "-euc", script, "sh", dir, NULL };

        return bench_spawn(argv, err);
}

static int make_inputs(Bench *bench, Error *err) {
        static const char script[] =
                "cd \"$1\"; mkdir -p root/bin root/tmp root/etc root/usr; cp " BUSYBOX
                " root/bin/busybox;"
                "tar -C root -cf root.tar .";
        int r = bench_shell(script, bench->dir, err);

        return r < 0 ? r : gate_inputs(bench, err);
}

static int server_prepare(Bench *bench, Server *server, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        autoclose int tar = -EBADF;
        char path[128];
        int r;

        (void) snprintf(path, sizeof(path), "%s/root.tar", bench->dir);
        tar = open(path, O_RDONLY | O_CLOEXEC);
        r = bench_call(server, "snapshot.import", "{\"name\":\"busybox\"}", &tar, 1, NULL, err);
        if (r < 0)
                return r;
        r = bench_call(server, "jail.create", "{\"keep\":true}", NULL, 0, &result, err);
        if (r < 0)
                return r;
        server->live = strdup(json_text(result, "jail"));
        return server->live ? 0 : -ENOMEM;
}

static int by_value(const void *a, const void *b) {
        const uint64_t *x = a, *y = b;

        return (*x > *y) - (*x < *y);
}

static void print_table(Row *rows, unsigned n_rows) {
        double base;

        for (unsigned i = 0; i < n_rows; i++)
                qsort(rows[i].times, rows[i].n, sizeof(uint64_t), by_value);
        base = rows[0].n > 0 ? (double) rows[0].times[rows[0].n / 2] : 1;
        printf("| %-52s | median ms | min ms | p99 ms | x posix_spawn |\n|%.54s|---|---|---|---|\n",
               "work", "------------------------------------------------------");
        for (unsigned i = 0; i < n_rows; i++) {
                const Row *row = &rows[i];

                if (row->other)
                        continue;
                if (row->n == 0) {
                        printf("| %-52s | left out: %s |\n", row->name,
                               row->skip ? row->skip : "no round");
                        continue;
                }
                printf("| %-52s | %9.3f | %6.3f | %6.3f | %8.2f |\n", row->name,
                       (double) row->times[row->n / 2] / 1e6, (double) row->times[0] / 1e6,
                       (double) row->times[row->n * 99 / 100] / 1e6,
                       (double) row->times[row->n / 2] / base);
        }
}

static void run_row(Bench *bench, Row *row) {
        struct timespec pause = { .tv_nsec = 30 * 1000 * 1000 };
        Error err = ERROR_EMPTY;
        uint64_t start;
        int r = row->before ? row->before(bench, &err) : 0;

        (void) nanosleep(&pause, NULL); /* let shells be refilled, off the clock */
        start = now_nsec();
        if (r >= 0)
                r = row->run(bench, &err);
        if (r >= 0) {
                row->times[row->n++] = now_nsec() - start;
                return;
        }
        (void) fprintf(stderr, "bench: %s: %s\n", row->name, err.text);
        row->skip = "it failed";
        row->n = 0;
}

static void run_rounds(Bench *bench, Row *rows, unsigned n_rows, unsigned rounds) {
        for (unsigned round = 0; round < rounds; round++) {
                for (unsigned i = 0; i < n_rows; i++) {
                        Row *row = &rows[(i + round) % n_rows];

                        if (!row->skip && !row->other &&
                            (row->every == 0 || round % row->every == 0))
                                run_row(bench, row);
                }
        }
}

static int prepare(Bench *bench, Error *err) {
        int r = make_inputs(bench, err);

        if (r == 0)
                r = server_start(bench, &bench->with, "8", err);
        if (r == 0)
                r = server_start(bench, &bench->without, "0", err);
        if (r == 0)
                r = server_prepare(bench, &bench->with, err);
        if (r == 0)
                r = server_prepare(bench, &bench->without, err);
        return r;
}

int main(int argc, char **argv) {
        static Row rows[] = {
                { .name = "posix_spawn of the same static binary", .run = run_spawn },
                { .name = "bwrap, all namespaces, read-only root", .run = run_bwrap },
                { .name = "create+true+destroy, from a shell, host root", .run = run_cold_host },
                { .name = "create+true+destroy, from a shell, imported root",
                  .run = run_cold_imported },
                { .name = "create+true+destroy, without a shell, host root",
                  .run = run_without_host },
                { .name = "create+true+destroy, without a shell, imported root",
                  .run = run_without_imported },
                { .name = "warder run (from a shell, host root)", .run = run_command_line },
                { .name = "exec in a live jail", .run = run_exec },
                { .name = "the command of the next two rows, in a jail, not judged",
                  .run = gate_command },
                { .name = "one verify turn, 1,000 files", .run = gate_turn_small },
                { .name = "one verify turn, 50,000 files", .run = gate_turn_large },
                { .name = "a base of 1,000 files taken in, and its first turn",
                  .run = gate_first,
                  .every = 5 },
                { .name = "ten hunks proved, one after the other",
                  .run = gate_proof_alone,
                  .every = 5 },
                { .name = "ten hunks proved, side by side", .run = gate_proof, .every = 5 },
                { .name = "git diff, 1,000 files, one changed", .run = gate_git_diff },
                { .name = "warder-files diff, the same", .run = gate_diff },
                { .name = "git apply, 1,000 files, one changed",
                  .run = gate_git_apply,
                  .before = gate_back },
                { .name = "warder-files apply, the same, with the tree's digest",
                  .run = gate_apply,
                  .before = gate_back },
        };
        static Bench bench = { .dir = "/tmp/warder-bench-XXXXXX" };
        bool gate = argc > 4 && strcmp(argv[4], "gate") == 0;
        unsigned rounds = argc > 3 ? (unsigned) strtoul(argv[3], NULL, 10) : 100;
        Error err = ERROR_EMPTY;
        int r;

        if (argc < 3 || rounds == 0 || rounds > ROUNDS_MAX) {
                (void) fprintf(stderr, "usage: bench BUILD SOURCE [ROUNDS, at most %d [gate]]\n",
                               ROUNDS_MAX);
                return 2;
        }
        if (access(BUSYBOX, X_OK) < 0) {
                (void) fprintf(stderr, "bench: %s is missing: install busybox-static\n", BUSYBOX);
                return 2;
        }
        for (unsigned i = 1; i < ELEMENTS(rows) && gate && rows[i].run != gate_command; i++)
                rows[i].other = true;
        if (access("/usr/bin/bwrap", X_OK) < 0)
                rows[1].skip = "bubblewrap is not installed";
        bench.libexec = argv[1];
        bench.source = argv[2];
        if (!mkdtemp(bench.dir))
                return 1;
        r = prepare(&bench, &err);
        if (r == 0) {
                run_rounds(&bench, rows, ELEMENTS(rows), rounds);
                print_table(rows, ELEMENTS(rows));
        } else {
                (void) fprintf(stderr, "bench: %s\n", err.text);
        }
        server_stop(&bench.with);
        server_stop(&bench.without);
        (void) bench_shell("rm -rf \"$1\"", bench.dir, &err);
        return r < 0;
}
