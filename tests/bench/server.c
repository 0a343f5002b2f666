/* server: see server.h. */
#include "tests/bench/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/owned.h"

extern char **environ;

int server_connect(const Server *server, RpcPeer **ret, Error *err) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/warder.sock", server->run);
        if (fd < 0 || connect(fd, (struct sockaddr *) &address, sizeof(address)) < 0) {
                int r = error_set(err, -errno, "connect to %s", address.sun_path);

                if (fd >= 0)
                        (void) close(fd);
                return r;
        }
        return rpc_peer_new_consume(fd, ret);
}

int server_start(const Bench *bench, Server *server, const char *name, const char *shells,
                 Error *err) {
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
                        name);
        (void) snprintf(server->run, sizeof(server->run), "%s/run-%s", bench->dir, name);
        (void) snprintf(run, sizeof(run), "%s", server->run);
        (void) snprintf(state, sizeof(state), "%s/state-%s", bench->dir, name);
        (void) snprintf(data, sizeof(data), "%s/agent", bench->source);
        (void) snprintf(policies, sizeof(policies), "%s/policies", bench->source);
        if (pipe(pipe_fds) < 0)
                return error_set(err, -errno, "make a pipe");
        (void) snprintf(ready, sizeof(ready), "%d", pipe_fds[1]);
        (void) posix_spawn_file_actions_init(&actions);
        (void) snprintf(log, sizeof(log), "%s/log-%s", bench->dir, name);
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
        return server_connect(server, &server->peer, err);
}

void server_stop(Server *server) {
        server->peer = rpc_peer_free(server->peer);
        if (server->pid > 0) {
                (void) kill(server->pid, SIGTERM);
                (void) waitpid(server->pid, NULL, 0);
        }
        server->pid = 0;
}

int bench_call_on(RpcPeer *peer, const char *method, const char *params, const int *fds, unsigned n,
                  cJSON **ret, Error *err) {
        static uint64_t id;
        RpcMessage answer = RPC_MESSAGE_EMPTY;
        cJSON *result = NULL;
        cJSON *tree = cJSON_Parse(params);
        int r;

        if (!tree)
                return error_say(err, -EINVAL, "bench: parameters of %s are no JSON", method);
        r = rpc_call(peer, rpc_request(++id, method, tree), fds, n, NULL, NULL, &answer, err);
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

int bench_call(Server *server, const char *method, const char *params, const int *fds, unsigned n,
               cJSON **ret, Error *err) {
        return bench_call_on(server->peer, method, params, fds, n, ret, err);
}

int server_import(const Bench *bench, Server *server, const char *name, Error *err) {
        static const char *const places[] = { "", "memory/" };
        autoclose int tar = -EBADF;
        char path[128], params[64];

        (void) snprintf(params, sizeof(params), "{\"name\":\"%s\"}", name);
        for (unsigned i = 0; i < ELEMENTS(places) && tar < 0; i++) {
                (void) snprintf(path, sizeof(path), "%s/%s%s.tar", bench->dir, places[i], name);
                tar = open(path, O_RDONLY | O_CLOEXEC);
        }
        if (tar < 0)
                return error_set(err, -errno, "open %s", path);
        return bench_call(server, "snapshot.import", params, &tar, 1, NULL, err);
}

int server_shells(Server *server, uint64_t *ret_asked, uint64_t *ret_ready, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        const cJSON *shells;
        int r = bench_call(server, "warder.info", "{}", NULL, 0, &result, err);

        if (r < 0)
                return r;
        shells = json_get(result, "shells");
        if (json_number(shells, "asked", ret_asked) < 0 ||
            json_number(shells, "ready", ret_ready) < 0)
                return error_say(err, -EIO, "warder.info says nothing of shells");
        return 0;
}

int bench_check_exited(const cJSON *record, Error *err) {
        const char *cause = json_text(record, "cause");
        autofree char *text = NULL;

        if (cause && strcmp(cause, "exited") == 0)
                return 0;
        text = json_print(record);
        return error_say(err, -EIO, "the command did not exit: %s", text ? text : "no memory");
}
