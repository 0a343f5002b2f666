/*
 * many: see many.h. Each jail runs one `sleep`. Memory is what the host has less of (MemAvailable), so it holds the
 * kernel's share, and that of whoever else works on this host meanwhile.
 */
#include "tests/bench/many.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/bench/peers.h"

#define MANY_MAX     1000
#define PER_PEER     200 /* open requests of one connection, below what the supervisor takes */
#define WINDOW       50u
#define FILL_SECONDS 60
#define SETTLE_SEC   2

#define LIMITS "\"limits\":{\"memory\":33554432,\"disk\":8388608,\"pids\":16}"
#define SLEEP \
        "\"argv\":[\"" BUSYBOX "\",\"sleep\",\"100000\"],\"stdio\":[\"null\",\"null\",\"null\"]"

typedef struct Many {
        Bench *bench;
        RpcPeer *peers[MANY_MAX / PER_PEER];
        char ids[MANY_MAX][16];
        uint64_t made[MANY_MAX]; /* nanoseconds that each create took */
        unsigned n;
        uint64_t before; /* bytes available */
} Many;

static const unsigned marks[] = { 50, 100, 300, 800, MANY_MAX };

static uint64_t available(void) {
        FILE *file = fopen("/proc/meminfo", "re");
        unsigned long long kilobytes = 0;
        char line[128];

        while (file && fgets(line, sizeof(line), file))
                if (sscanf(line, "MemAvailable: %llu", &kilobytes) == 1)
                        break;
        if (file)
                (void) fclose(file);
        return kilobytes * 1024;
}

static void settle(void) {
        (void) nanosleep(&(struct timespec){ .tv_sec = SETTLE_SEC }, NULL);
}

/* A jail and a command in it that nobody waits for: the answer stays unread on a connection of its own. */
static int add(Many *many, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        SCOPED(json_free) cJSON *params = NULL;
        char text[256];
        uint64_t start = bench_now();
        int r = bench_call(&many->bench->with, "jail.create", "{\"keep\":true," LIMITS "}", NULL, 0,
                           &result, err);

        if (r < 0)
                return r;
        many->made[many->n] = bench_now() - start;
        (void) snprintf(many->ids[many->n], sizeof(many->ids[0]), "%s", json_text(result, "jail"));
        (void) snprintf(text, sizeof(text), "{\"jail\":\"%s\"," SLEEP "}", many->ids[many->n]);
        params = rpc_request(many->n + 1, "jail.exec", cJSON_Parse(text));
        r = rpc_peer_send(many->peers[many->n / PER_PEER], params, NULL, 0);
        if (r >= 0)
                r = rpc_peer_flush(many->peers[many->n / PER_PEER]);
        many->n++;
        return r < 0 ? error_set(err, r, "start a command") : 0;
}

static double list_msec(Bench *bench, unsigned *ret_n) {
        SCOPED(json_free) cJSON *result = NULL;
        Error err = ERROR_EMPTY;
        uint64_t start = bench_now();

        if (bench_call(&bench->with, "jail.list", "{}", NULL, 0, &result, &err) < 0)
                (void) fprintf(stderr, "bench: jail.list: %s\n", err.text);
        *ret_n = (unsigned) cJSON_GetArraySize(json_get(result, "jails"));
        return (double) (bench_now() - start) / 1e6;
}

static void print_mark(Many *many) {
        uint64_t window[WINDOW];
        unsigned listed;
        double list, each;

        memcpy(window, many->made + many->n - WINDOW, sizeof(window));
        bench_sort(window, WINDOW);
        settle();
        list = list_msec(many->bench, &listed);
        each = ((double) many->before - (double) available()) / many->n / 1024;
        printf("| %4u jails, each with a `sleep` | %8.0f | %7.3f | %7.2f (%u) |\n", many->n, each,
               (double) window[WINDOW / 2] / 1e6, list, listed);
        (void) fflush(stdout);
}

static void end_all(Many *many) {
        uint64_t start = bench_now();
        Error err = ERROR_EMPTY;
        char params[64];

        for (unsigned i = 0; i < many->n; i++) {
                (void) snprintf(params, sizeof(params), "{\"jail\":\"%s\"}", many->ids[i]);
                if (bench_call(&many->bench->with, "jail.destroy", params, NULL, 0, NULL, &err) < 0)
                        (void) fprintf(stderr, "bench: jail.destroy: %s\n", err.text);
        }
        if (many->n)
                printf("\n%u jails were ended one after the other, each seen gone, in %.2f ms "
                       "each.\n",
                       many->n, (double) (bench_now() - start) / 1e6 / many->n);
}

/* What the same number of processes costs in a sandbox of a peer's */
static void print_bwrap(void) {
        const char *argv[32];
        uint64_t before;
        pid_t pids[WINDOW];
        unsigned n = 0;

        if (!peer_is_there("bwrap"))
                return;
        while (peer_bwrap_argv()[n + 1]) {
                argv[n] = peer_bwrap_argv()[n];
                n++;
        }
        argv[n++] = "sleep";
        argv[n++] = "100000";
        argv[n] = NULL;
        before = available();
        for (unsigned i = 0; i < WINDOW; i++) {
                pids[i] = fork();
                if (pids[i] == 0) {
                        (void) execvp(argv[0], (char *const *) (uintptr_t) argv);
                        _exit(127);
                }
        }
        settle();
        printf("| bwrap, %u of them | %8.0f | | |\n", WINDOW,
               ((double) before - (double) available()) / WINDOW / 1024);
        for (unsigned i = 0; i < WINDOW; i++)
                (void) kill(pids[i], SIGKILL);
        for (unsigned i = 0; i < WINDOW; i++)
                (void) waitpid(pids[i], NULL, 0);
}

static int fill(Many *many, unsigned most, Error *err) {
        uint64_t end = bench_now() + FILL_SECONDS * 1000000000ull;
        unsigned mark = 0;
        int r = 0;

        for (unsigned i = 0; i < ELEMENTS(many->peers) && r >= 0; i++)
                r = server_connect(&many->bench->with, &many->peers[i], err);
        while (r >= 0 && many->n < most && mark < ELEMENTS(marks)) {
                if (bench_now() > end)
                        return error_say(err, -ETIMEDOUT, "%d s were over", FILL_SECONDS);
                r = add(many, err);
                if (r >= 0 && many->n == marks[mark]) {
                        print_mark(many);
                        mark++;
                }
        }
        return r;
}

void many_run(Bench *bench, unsigned most) {
        static Many many;
        Error err = ERROR_EMPTY;

        settle();
        many.bench = bench;
        many.before = available();
        printf("\n| idle jails | kB each, kernel included | ms to make one more | ms to list them "
               "|\n|---|---|---|---|\n");
        if (fill(&many, most, &err) < 0)
                printf("| left out after %u jails: %s |\n", many.n, err.text);
        print_bwrap();
        end_all(&many);
        for (unsigned i = 0; i < ELEMENTS(many.peers); i++)
                rpc_peer_free(many.peers[i]);
}
