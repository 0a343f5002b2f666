/* jail-rows: see jail-rows.h. */
#include "tests/bench/jail-rows.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/owned.h"
#include "tests/bench/hops.h"
#include "tests/bench/peers.h"
#include "tests/bench/spawn.h"

#define FILL_MSEC    20000
#define POOL_SIZE    8
#define ROWS_SECONDS 100

/* A root of one static program */
static const char root[] =
        "cd \"$1\"; mkdir -p root/bin root/tmp root/etc root/usr root/proc root/dev root/sys "
        "root/run root/var; chmod 755 . root;"
        "cp " BUSYBOX " root/bin/busybox; echo ID=bench > root/etc/os-release;"
        "tar -C root -cf busybox.tar .";

static int create_true(Server *server, const char *snapshot, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        char params[512];
        int r;

        (void) snprintf(params, sizeof(params), "{\"snapshot\":\"%s\",\"exec\":{" EXEC_TRUE "}}",
                        snapshot);
        r = bench_call(server, "jail.create", params, NULL, 0, &result, err);
        return r < 0 ? r : bench_check_exited(json_get(result, "command"), err);
}

static int cold_host(Bench *bench, Error *err) {
        return create_true(&bench->with, "host", err);
}

static int cold_imported(Bench *bench, Error *err) {
        return create_true(&bench->with, "busybox", err);
}

static int without_host(Bench *bench, Error *err) {
        return create_true(&bench->without, "host", err);
}

static int without_imported(Bench *bench, Error *err) {
        return create_true(&bench->without, "busybox", err);
}

static int pooled_host(Bench *bench, Error *err) {
        return create_true(&bench->pooled, "host", err);
}

static int pooled_imported(Bench *bench, Error *err) {
        return create_true(&bench->pooled, "busybox", err);
}

static bool is_full(const cJSON *pools) {
        const cJSON *pool;
        uint64_t ready;

        cJSON_ArrayForEach(pool, pools) {
                if (json_number(pool, "ready", &ready) < 0 || ready < POOL_SIZE)
                        return false;
        }
        return true;
}

static int pool_fill(Bench *bench, Error *err) {
        const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };

        for (unsigned waited = 0; waited < FILL_MSEC; waited += 5) {
                SCOPED(json_free) cJSON *result = NULL;
                int r = bench_call(&bench->pooled, "pool.show", "{}", NULL, 0, &result, err);

                if (r < 0 || is_full(json_get(result, "pools")))
                        return r;
                (void) nanosleep(&pause, NULL);
        }
        return error_say(err, -ETIMEDOUT, "a pool does not get full");
}

static int run_warder(const Bench *bench, const Server *server, const char *snapshot, Error *err) {
        char program[256], socket[256];
        const char *argv[] = { program,     "--socket", socket,  "run",  "--snapshot", snapshot,
                               "--no-work", "--",       BUSYBOX, "true", NULL };

        (void) snprintf(program, sizeof(program), "%s/cli/warder", bench->libexec);
        (void) snprintf(socket, sizeof(socket), "%s/warder.sock", server->run);
        return spawn_wait(argv, err);
}

static int command_host(Bench *bench, Error *err) {
        return run_warder(bench, &bench->with, "host", err);
}

static int command_imported(Bench *bench, Error *err) {
        return run_warder(bench, &bench->with, "busybox", err);
}

static int command_without(Bench *bench, Error *err) {
        return run_warder(bench, &bench->without, "host", err);
}

static int command_pooled(Bench *bench, Error *err) {
        return run_warder(bench, &bench->pooled, "host", err);
}

static int version(Bench *bench, Error *err) {
        char program[256];
        const char *argv[] = { program, "--version", NULL };

        (void) snprintf(program, sizeof(program), "%s/cli/warder", bench->libexec);
        return spawn_wait(argv, err);
}

static int exec_live(Bench *bench, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        char params[256];
        int r;

        (void) snprintf(params, sizeof(params), "{\"jail\":\"%s\"," EXEC_TRUE "}",
                        bench->with.live);
        r = bench_call(&bench->with, "jail.exec", params, NULL, 0, &result, err);
        return r < 0 ? r : bench_check_exited(result, err);
}

/* ---- beforehand ---------------------------------------------------------------------------------- */

static int make_live(Server *server, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        int r = bench_call(server, "jail.create", "{\"keep\":true}", NULL, 0, &result, err);

        if (r >= 0)
                (void) snprintf(server->live, sizeof(server->live), "%s",
                                json_text(result, "jail"));
        return r;
}

static int set_pools(Bench *bench, Error *err) {
        static const char *const roots_pooled[] = { "host", "busybox" };
        char params[128];
        int r = 0;

        for (unsigned i = 0; i < 2 && r >= 0; i++) {
                (void) snprintf(params, sizeof(params),
                                "{\"snapshot\":\"%s\",\"policy\":\"default\",\"size\":%d}",
                                roots_pooled[i], POOL_SIZE);
                r = bench_call(&bench->pooled, "pool.set", params, NULL, 0, NULL, err);
        }
        return r < 0 ? r : pool_fill(bench, err);
}

int jail_rows_prepare(Bench *bench, Error *err) {
        Server *servers[] = { &bench->with, &bench->without, &bench->pooled };
        int r = spawn_shell(root, bench->dir, err);

        for (unsigned i = 0; i < ELEMENTS(servers) && r >= 0; i++)
                r = server_import(bench, servers[i], "busybox", err);
        if (r >= 0)
                r = make_live(&bench->with, err);
        return r < 0 ? r : set_pools(bench, err);
}

static Row rows[] = {
        { .name = "posix_spawn of the same static binary", .run = peer_spawn },
        { .name = "create + true + destroy from a shell, host root", .run = cold_host },
        { .name = "... imported root", .run = cold_imported },
        { .name = "... without a shell, host root", .run = without_host },
        { .name = "... without a shell, imported root", .run = without_imported },
        { .name = "... out of a pool, eight in a row, host root",
          .run = pooled_host,
          .before = pool_fill,
          .after = pool_fill,
          .batch = POOL_SIZE },
        { .name = "... out of a pool, eight in a row, imported root",
          .run = pooled_imported,
          .before = pool_fill,
          .after = pool_fill,
          .batch = POOL_SIZE },
        { .name = "`warder run`, from a shell, host root", .run = command_host },
        { .name = "`warder run`, from a shell, imported root", .run = command_imported },
        { .name = "`warder run`, without a shell, host root", .run = command_without },
        { .name = "`warder run`, out of a pool, host root",
          .run = command_pooled,
          .before = pool_fill,
          .after = pool_fill },
        { .name = "`warder --version`: the command's own start", .run = version },
        { .name = "bwrap: all namespaces, read-only root", .run = peer_bwrap, .program = "bwrap" },
        { .name = "crun run: namespaces, ids, filter, memory, pids",
          .run = peer_crun,
          .program = "crun" },
        { .name = "runc run, the same", .run = peer_runc, .program = "runc", .every = 4 },
        { .name = "nsjail: namespaces, ids, memory, pids",
          .run = peer_nsjail,
          .program = "nsjail" },
        { .name = "systemd-nspawn", .run = peer_nspawn, .program = "systemd-nspawn", .every = 10 },
        { .name = "exec in a live jail", .run = exec_live },
        { .name = "... the same hops, nothing done on them", .run = hops_run },
        { .name = "crun exec", .run = peer_crun_exec, .program = "crun" },
        { .name = "nsenter into that container", .run = peer_nsenter, .program = "nsenter" },
};

void jail_rows_run(Bench *bench, unsigned rounds) {
        rounds_run(bench, "one after the other", rows, ELEMENTS(rows), rounds, ROWS_SECONDS);
}
