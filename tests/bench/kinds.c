/* kinds: see kinds.h. */
#include "tests/bench/kinds.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/bench/jail-rows.h"
#include "tests/bench/peers.h"
#include "tests/bench/spawn.h"

static int connect_with(Worker *worker, Error *err) {
        return server_connect(&worker->bench->with, &worker->peer, err);
}

static int connect_live(Worker *worker, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        int r = connect_with(worker, err);

        if (r >= 0)
                r = bench_call_on(worker->peer, "jail.create", "{}", NULL, 0, &result, err);
        if (r >= 0)
                (void) snprintf(worker->jail, sizeof(worker->jail), "%s",
                                json_text(result, "jail"));
        return r;
}

static int once_create(Worker *worker, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        int r = bench_call_on(worker->peer, "jail.create", "{\"exec\":{" EXEC_TRUE "}}", NULL, 0,
                              &result, err);

        return r < 0 ? r : bench_check_exited(json_get(result, "command"), err);
}

static int once_exec(Worker *worker, Error *err) {
        SCOPED(json_free) cJSON *result = NULL;
        char params[256];
        int r;

        (void) snprintf(params, sizeof(params), "{\"jail\":\"%s\"," EXEC_TRUE "}", worker->jail);
        r = bench_call_on(worker->peer, "jail.exec", params, NULL, 0, &result, err);
        return r < 0 ? r : bench_check_exited(result, err);
}

static int once_spawn(Worker *worker, Error *err) {
        return peer_spawn(worker->bench, err);
}

static int once_bwrap(Worker *worker, Error *err) {
        return peer_bwrap(worker->bench, err);
}

static int name_container(Worker *worker, Error *err) {
        containers_id(worker->bench, 100 + worker->number, worker->container);
        return containers_own_mounts(err);
}

static int start_container(Worker *worker, Error *err) {
        int r = name_container(worker, err);

        return r < 0 ? r : container_start(worker->container, worker->pid, err);
}

static int stop_container(Worker *worker, Error *err) {
        return container_stop(worker->container, err);
}

static int once_container(Worker *worker, Error *err) {
        return container_run("crun", worker->container, err);
}

static int once_container_exec(Worker *worker, Error *err) {
        return container_exec(worker->container, err);
}

static int once_nsenter(Worker *worker, Error *err) {
        return container_enter(worker->pid, err);
}

const Kind kinds[] = {
        { .name = "posix_spawn of the same static binary",
          .tables = KIND_JAILS | KIND_COMMANDS,
          .once = once_spawn },
        { .name = "create + true + destroy, host root",
          .tables = KIND_JAILS,
          .prepare = connect_with,
          .once = once_create },
        { .name = "bwrap, all namespaces",
          .tables = KIND_JAILS,
          .program = "bwrap",
          .once = once_bwrap },
        { .name = "crun run",
          .tables = KIND_JAILS,
          .program = "crun",
          .prepare = name_container,
          .once = once_container },
        { .name = "exec in a live jail, one for each client",
          .tables = KIND_COMMANDS,
          .prepare = connect_live,
          .once = once_exec },
        { .name = "crun exec, a container for each client",
          .tables = KIND_COMMANDS,
          .program = "crun",
          .prepare = start_container,
          .once = once_container_exec,
          .finish = stop_container },
        { .name = "nsenter into such a container",
          .tables = KIND_COMMANDS,
          .program = "crun",
          .prepare = start_container,
          .once = once_nsenter,
          .finish = stop_container },
        { 0 },
};
