/* sleepers: see sleepers.h. */
#include "tests/bench/sleepers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/owned.h"
#include "tests/bench/containers.h"
#include "tests/bench/figures.h"
#include "tests/bench/peers.h"
#include "tests/bench/spawn.h"

#define PER_PEER         200 /* open requests of one connection, below what the supervisor takes */
#define SETTLE_SEC       1
#define PEERS_MAX        100
#define CONTAINERS_FIRST 200 /* their numbers */

#define SLEEP \
        "\"argv\":[\"" BUSYBOX "\",\"sleep\",\"100000\"],\"stdio\":[\"null\",\"null\",\"null\"]"

uint64_t sleepers_available(void) {
        unsigned long long kilobytes = 0;
        char line[128];
        FILE *file;

        (void) nanosleep(&(struct timespec){ .tv_sec = SETTLE_SEC }, NULL);
        file = fopen("/proc/meminfo", "re");
        while (file && fgets(line, sizeof(line), file))
                if (sscanf(line, "MemAvailable: %llu", &kilobytes) == 1)
                        break;
        if (file)
                (void) fclose(file);
        return kilobytes * 1024;
}

int sleepers_took(uint64_t before, unsigned n, uint64_t *ret_bytes, Error *err) {
        uint64_t after = sleepers_available();

        if (after >= before)
                return error_say(err, -EAGAIN, "others gave back more memory than was taken");
        *ret_bytes = (before - after) / n;
        return 0;
}

/* ---- jails ----------------------------------------------------------------------------------------- */

int sleepers_start(Sleepers *sleepers, Bench *bench, Error *err) {
        int r = 0;

        sleepers->n = 0;
        for (unsigned i = 0; i < ELEMENTS(sleepers->peers) && r >= 0; i++)
                r = server_connect(&bench->with, &sleepers->peers[i], err);
        return r;
}

int sleepers_add(Sleepers *sleepers, Bench *bench, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        SCOPED(json_free) cJSON *params = NULL;
        char text[256], *id = sleepers->ids[sleepers->n];
        RpcPeer *peer = sleepers->peers[sleepers->n / PER_PEER];
        uint64_t start = figures_now();
        int r = bench_call(&bench->with, "jail.create", "{\"keep\":true," SLEEPER_LIMITS "}", NULL,
                           0, &result, err);

        if (r < 0)
                return r;
        sleepers->made[sleepers->n] = figures_now() - start;
        (void) snprintf(id, sizeof(sleepers->ids[0]), "%s", json_text(result, "jail"));
        (void) snprintf(text, sizeof(text), "{\"jail\":\"%s\"," SLEEP "}", id);
        params = rpc_request(++sleepers->n, "jail.exec", cJSON_Parse(text));
        r = rpc_peer_send(peer, params, NULL, 0);
        if (r >= 0)
                r = rpc_peer_flush(peer);
        return r < 0 ? error_set(err, r, "start a command") : 0;
}

void sleepers_end(Sleepers *sleepers, Bench *bench) {
        Error err = ERROR_EMPTY;
        char params[64];

        for (unsigned i = 0; i < sleepers->n; i++) {
                (void) snprintf(params, sizeof(params), "{\"jail\":\"%s\"}", sleepers->ids[i]);
                if (bench_call(&bench->with, "jail.destroy", params, NULL, 0, NULL, &err) < 0)
                        (void) fprintf(stderr, "bench: jail.destroy: %s\n", err.text);
        }
        for (unsigned i = 0; i < ELEMENTS(sleepers->peers); i++)
                sleepers->peers[i] = rpc_peer_free(sleepers->peers[i]);
}

/* ---- peers ----------------------------------------------------------------------------------------- */

int sleepers_of_bwrap(unsigned n, uint64_t *ret_bytes, Error *err) {
        uint64_t before = sleepers_available();
        const char *argv[40];
        pid_t pids[PEERS_MAX];
        unsigned words = 0, started = 0;
        int r = 0;

        for (; strcmp(peer_bwrap_argv()[words], "true") != 0; words++)
                argv[words] = peer_bwrap_argv()[words];
        memcpy(argv + words, ((const char *[]){ "sleep", "100000", NULL }), 3 * sizeof(*argv));
        for (; started < n && started < PEERS_MAX && r >= 0; started += r >= 0)
                r = spawn_left(argv, &pids[started], err);
        if (r >= 0)
                r = sleepers_took(before, n, ret_bytes, err);
        for (unsigned i = 0; i < started; i++)
                (void) kill(pids[i], SIGKILL);
        for (unsigned i = 0; i < started; i++)
                (void) waitpid(pids[i], NULL, 0);
        return r;
}

/* A process whose mounts crun accepts: starts them, says how that went, waits for a word, and ends them. */
_Noreturn static void keep_containers(const Bench *bench, unsigned n, int fd) {
        char id[CONTAINER_ID_MAX], pid[CONTAINER_PID_MAX];
        Error err = ERROR_EMPTY, late = ERROR_EMPTY;
        unsigned started = 0;
        int r = containers_own_mounts(&err);

        (void) prctl(PR_SET_PDEATHSIG, SIGTERM);
        for (; started < n && r >= 0; started += r >= 0) {
                containers_id(bench, CONTAINERS_FIRST + started, id);
                r = container_start(id, pid, &err);
        }
        (void) send(fd, &err, sizeof(err), MSG_NOSIGNAL);
        (void) recv(fd, &late, 1, 0);
        while (started-- > 0) {
                containers_id(bench, CONTAINERS_FIRST + started, id);
                (void) container_stop(id, &late);
        }
        _exit(0);
}

int sleepers_of_crun(const Bench *bench, unsigned n, uint64_t *ret_bytes, Error *err) {
        uint64_t before = sleepers_available();
        Error answer = ERROR_EMPTY;
        int ends[2];
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
                return error_set(err, -errno, "make a socket pair");
        pid = fork();
        if (pid == 0) {
                (void) close(ends[0]);
                keep_containers(bench, n, ends[1]);
        }
        (void) close(ends[1]);
        if (recv(ends[0], &answer, sizeof(answer), 0) != sizeof(answer))
                (void) error_say(&answer, -EPIPE, "the process that starts containers is gone");
        if (answer.code >= 0)
                (void) sleepers_took(before, n, ret_bytes, &answer);
        (void) close(ends[0]);
        (void) waitpid(pid, NULL, 0);
        if (answer.code < 0)
                *err = answer;
        return answer.code;
}
