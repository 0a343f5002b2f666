/* jail-rows: see jail-rows.h. */
#include "tests/bench/jail-rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/owned.h"

#define FILL_MSEC 20000

/* Roots of three sizes: busybox, and that with one file more of so many MB that are no holes */
static const char roots[] =
        "cd \"$1\"; mkdir -p root/bin root/tmp root/etc root/usr root/proc root/dev root/sys "
        "root/run root/var;"
        "cp " BUSYBOX " root/bin/busybox; echo ID=bench > root/etc/os-release;"
        "tar -C root -cf busybox.tar .;"
        "for size in 473 2046; do cp -a root big; head -c ${size}M /dev/zero > big/blob;"
        " tar -C big -cf root-$size.tar .; [ $size = 473 ] && mv big middle || rm -r big; done";

static int create_true(Server *server, const char *root, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        char params[512];
        int r;

        (void) snprintf(params, sizeof(params), "{\"snapshot\":\"%s\",\"exec\":{" EXEC_TRUE "}}",
                        root);
        r = bench_call(server, "jail.create", params, NULL, 0, &result, err);
        return r < 0 ? r : bench_check_exited(json_get(result, "command"), err);
}

int jail_cold_host(Bench *bench, Error *err) {
        return create_true(&bench->with, "host", err);
}

int jail_cold_imported(Bench *bench, Error *err) {
        return create_true(&bench->with, "busybox", err);
}

int jail_cold_middle(Bench *bench, Error *err) {
        return create_true(&bench->with, "root-473", err);
}

int jail_cold_large(Bench *bench, Error *err) {
        return create_true(&bench->with, "root-2046", err);
}

int jail_without_host(Bench *bench, Error *err) {
        return create_true(&bench->without, "host", err);
}

int jail_without_imported(Bench *bench, Error *err) {
        return create_true(&bench->without, "busybox", err);
}

int jail_pooled_host(Bench *bench, Error *err) {
        return create_true(&bench->pooled, "host", err);
}

int jail_pooled_imported(Bench *bench, Error *err) {
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

int jail_pool_fill(Bench *bench, Error *err) {
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

static int run_warder(const Bench *bench, const Server *server, Error *err) {
        char program[256], socket[256];
        const char *argv[] = { program, "--socket", socket, "run", "--no-work",
                               "--",    BUSYBOX,    "true", NULL };

        (void) snprintf(program, sizeof(program), "%s/cli/warder", bench->libexec);
        (void) snprintf(socket, sizeof(socket), "%s/warder.sock", server->run);
        return bench_spawn(argv, err);
}

int jail_command(Bench *bench, Error *err) {
        return run_warder(bench, &bench->with, err);
}

int jail_command_pooled(Bench *bench, Error *err) {
        return run_warder(bench, &bench->pooled, err);
}

int jail_version(Bench *bench, Error *err) {
        char program[256];
        const char *argv[] = { program, "--version", NULL };

        (void) snprintf(program, sizeof(program), "%s/cli/warder", bench->libexec);
        return bench_spawn(argv, err);
}

int jail_exec(Bench *bench, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        char params[256];
        int r;

        (void) snprintf(params, sizeof(params), "{\"jail\":\"%s\"," EXEC_TRUE "}",
                        bench->with.live);
        r = bench_call(&bench->with, "jail.exec", params, NULL, 0, &result, err);
        return r < 0 ? r : bench_check_exited(result, err);
}

/* ---- beforehand ---------------------------------------------------------------------------------- */

static int import(const Bench *bench, Server *server, const char *name, Error *err) {
        autoclose int tar = -EBADF;
        char path[128], params[64];

        (void) snprintf(path, sizeof(path), "%s/%s.tar", bench->dir, name);
        (void) snprintf(params, sizeof(params), "{\"name\":\"%s\"}", name);
        tar = open(path, O_RDONLY | O_CLOEXEC);
        if (tar < 0)
                return error_set(err, -errno, "open %s", path);
        return bench_call(server, "snapshot.import", params, &tar, 1, NULL, err);
}

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
        return r < 0 ? r : jail_pool_fill(bench, err);
}

int jail_rows_prepare(Bench *bench, Error *err) {
        Server *servers[] = { &bench->with, &bench->without, &bench->pooled };
        int r = bench_shell(roots, bench->dir, err);

        for (unsigned i = 0; i < ELEMENTS(servers) && r >= 0; i++)
                r = import(bench, servers[i], "busybox", err);
        if (r >= 0)
                r = import(bench, &bench->with, "root-473", err);
        if (r >= 0)
                r = import(bench, &bench->with, "root-2046", err);
        if (r >= 0)
                r = make_live(&bench->with, err);
        return r < 0 ? r : set_pools(bench, err);
}
