/*
 * front: requests of a hostile client, through their schemas and what reads them, in a whole front. Input: a
 * byte for the method, one for the descriptors that come with it, then its parameters. The monitor is played
 * and refuses everything, but first it holds what it is asked against its own rules: a client must never
 * bring the front to send what ends a front. Each request is answered once, in JSON; no descriptor is left.
 */
#include "supervisor/front/front.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fds.h"
#include "base/log.h"
#include "base/owned.h"
#include "supervisor/front/clients.h"
#include "supervisor/front/closer.h"
#include "supervisor/front/commands/audit.h"
#include "supervisor/front/commands/pressure.h"
#include "supervisor/front/commands/uncounted.h"
#include "supervisor/front/jails/jail-log.h"
#include "supervisor/front/jails/pools.h"
#include "supervisor/front/ledger.h"
#include "supervisor/front/listener.h"
#include "supervisor/front/methods.h"
#include "supervisor/front/monitor-link.h"
#include "supervisor/front/policy/accounts.h"
#include "supervisor/front/policy/ceilings-file.h"
#include "supervisor/front/policy/policies.h"
#include "supervisor/front/policy/turns.h"
#include "supervisor/front/tasks/tasks.h"
#include "supervisor/front/workspaces/workspace-time.h"
#include "tests/fuzz/fuzz.h"

#define PARAMS_MAX (256u * 1024)
#define TURNS      400
#define PATIENCE   1000 /* milliseconds, for the children that close what may wait */

static const char *const methods[] = {
        "jail.create",   "jail.exec",       "task.start",  "verify.run",    "snapshot.import",
        "policy.check",  "policy.show",     "policy.list", "jail.signal",   "jail.list",
        "jail.show",     "jail.destroy",    "jail.open",   "snapshot.list", "snapshot.show",
        "snapshot.save", "snapshot.remove", "task.list",   "task.show",     "task.watch",
        "task.cancel",   "task.patch",      "task.log",    "warder.info",   "rpc.discover",
};

enum { FD_NULL, FD_TAR, FD_DIR, FD_PIPE, FD_SOCKET, FD_EMPTY, FDS };

static Front front;
static int listener = -EBADF, monitor = -EBADF; /* the other end of each */
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static int fds[FDS];
static PlanLimits most; /* of all policies: no request may have more */

static void must(bool good) {
        if (!good)
                abort();
}

/* ---- the monitor, played ---------------------------------------------------------------------------- */

static void check_create(const CreateRequest *create, const int *passed, unsigned n) {
        const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
        const PlanLimits *limits = &create->plan.limits;

        must(plan_check(&create->plan, NULL) == 0 && n == create->plan.n_fds);
        must((fcntl(passed[0], F_GET_SEALS) & seals) == seals);
        must(limits->memory_bytes <= most.memory_bytes && limits->pids <= most.pids);
        must(limits->cpu_permille <= most.cpu_permille && limits->disk_bytes <= most.disk_bytes);
        must(limits->inodes <= most.inodes && !(create->plan.flags & PLAN_KEEP_UPPER));
}

/* Returns: was there a request */
static bool refuse_one(void) {
        union {
                CreateRequest create;
                RequestHead head;
        } request;
        MonitorReply reply = { .kind = MONITOR_REPLY, .code = -EIO, .text = "played" };
        int passed[FDS_MAX];
        unsigned n_fds = 0;
        ssize_t n = fds_recv(monitor, &request, sizeof(request), passed, &n_fds);

        if (n <= 0)
                return false;
        must((size_t) n >= sizeof(HandleRequest) && request.head.kind > 0 &&
             request.head.kind < _REQUEST_KIND_MAX);
        if (request.head.kind == REQUEST_JAIL_CREATE) {
                must(n == sizeof(request.create));
                check_create(&request.create, passed, n_fds);
        }
        fds_close(passed, n_fds);
        reply.cookie = request.head.cookie;
        (void) fds_send(monitor, &reply, sizeof(reply), NULL, 0);
        return true;
}

static void turn(void) {
        unsigned i = 0;

        do
                while (i++ < TURNS && sd_event_run(front.event, 0) > 0)
                        ;
        while (refuse_one() && i < TURNS);
}

/* ---- the front -------------------------------------------------------------------------------------- */

static int source_dir(const char *name) {
        const char *top = getenv("top_srcdir");
        char path[512];
        int fd;

        (void) snprintf(path, sizeof(path), "%s/%s", top ? top : ".", name);
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        must(fd >= 0);
        return fd;
}

static void make_places(void) {
        const char *tmp = getenv("TMPDIR");
        char base[80];
        int ends[2];

        (void) snprintf(base, sizeof(base), "%.50s/warder-fuzz-XXXXXX", tmp ? tmp : "/tmp");
        must(mkdtemp(base) != NULL);
        front.state_fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        (void) snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", base);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(front.state_fd >= 0 &&
             bind(listener, (struct sockaddr *) &address, sizeof(address)) == 0 &&
             listen(listener, 8) == 0);
        must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0);
        monitor = ends[0];
        must(monitor_link_new(&front, ends[1], &front.monitor, NULL) == 0);
        fds[FD_NULL] = open("/dev/null", O_RDWR | O_CLOEXEC);
        fds[FD_TAR] = memfd_create("tar", MFD_CLOEXEC);
        fds[FD_EMPTY] = memfd_sealed("empty", "", 0, false, NULL);
        fds[FD_DIR] = open(base, O_PATH | O_DIRECTORY | O_CLOEXEC);
        must(fd_write_all(fds[FD_TAR], base, sizeof(base)) == 0 && pipe2(ends, O_CLOEXEC) == 0);
        fds[FD_PIPE] = ends[0];
        must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
        fds[FD_SOCKET] = ends[0];
}

/* What is left in the file system goes at the process's end. */
static void remove_places(void) {
        static const char *const names[] = { "ledger.db", "ledger.db-wal", "ledger.db-shm",
                                             "socket" };

        for (unsigned i = 0; i < ELEMENTS(names); i++)
                (void) unlinkat(front.state_fd, names[i], 0);
        *strrchr(address.sun_path, '/') = 0;
        (void) rmdir(address.sun_path);
}

static void find_most(void) {
        SCOPED(json_free) cJSON *names = policies_names(front.policies);
        const cJSON *name;

        cJSON_ArrayForEach(name, names) {
                const Policy *policy = policies_find(front.policies, name->valuestring, NULL);
                const PlanLimits *limits;

                must(policy != NULL);
                limits = &policy_limits(policy)->plan;
                most.memory_bytes = MAX(most.memory_bytes, limits->memory_bytes);
                most.pids = MAX(most.pids, limits->pids);
                most.cpu_permille = MAX(most.cpu_permille, limits->cpu_permille);
                most.disk_bytes = MAX(most.disk_bytes, limits->disk_bytes);
                most.inodes = MAX(most.inodes, limits->inodes);
        }
}

static void start(void) {
        autoclose int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int policies = source_dir("policies"), egress[2];
        Error err = ERROR_EMPTY;

        log_open("fuzz", LOG_EMERG);
        front = (Front){ .info = { .version = 1,
                                   .cgroup_mode = CGROUP_V2,
                                   .landlock_abi = 6,
                                   .memory_total = 8ull << 30,
                                   .cpus = 4,
                                   .warder_gid = UINT32_MAX,
                                   .admin_gid = UINT32_MAX,
                                   .private_call = 1,
                                   .owner_uid = getuid() },
                         .config_fd = -EBADF,
                         .etc_fd = -EBADF };
        must(sd_event_default(&front.event) >= 0);
        make_places();
        (void) atexit(remove_places);
        front.listen_fd = listener;
        front.agent_fd = front.files_fd = fds[FD_EMPTY];
        must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, egress) == 0);
        front.egress_fd = egress[0];
        front.data_fd = source_dir("agent");
        must(closer_new(front.event, &front.closer, &err) == 0 &&
             methods_new(&front.methods, &err) == 0 &&
             ledger_new(front.state_fd, false, &front.ledger, &err) == 0 &&
             policies_new(&front, policies, &front.policies, &err) == 0 &&
             ceilings_file_new(&front, -EBADF, &front.ceilings, &err) == 0 &&
             audit_new(&front, -EBADF, &front.audit, &err) == 0 &&
             jail_log_new(&front, &front.jail_log, &err) == 0 &&
             accounts_new(&front, &front.accounts, &err) == 0 &&
             pressure_new(-EBADF, -EBADF, &front.pressure, &err) == 0 &&
             turns_new(&front, &front.turns, &err) == 0 &&
             uncounted_new(&front, -EBADF, -EBADF, &front.uncounted, &err) == 0 &&
             pools_new(&front, &front.pools, &err) == 0 &&
             tasks_new(&front, &front.tasks, &err) == 0 &&
             workspaces_new(&front, &front.workspaces, &err) == 0 &&
             listener_start(&front, listener, &err) == 0);
        find_most();
        turn();
        must(fchdir(here) == 0);
}

/* ---- the client ------------------------------------------------------------------------------------- */

static int connect_client(void) {
        int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        must(sock >= 0 && connect(sock, (const struct sockaddr *) &address, sizeof(address)) == 0);
        (void) fd_set_nonblock(sock, true);
        return sock;
}

static void send_all(int client, const char *text, size_t n, const int *passed, unsigned n_fds) {
        while (n > 0) {
                ssize_t sent = fds_send(client, text, n, passed, n_fds);

                if (sent < 0)
                        return; /* the front has closed it */
                text += sent;
                n -= (size_t) sent;
                n_fds = 0;
                turn();
        }
}

static void check_answer(const char *line, size_t n, unsigned *answers) {
        SCOPED(json_free) cJSON *json = NULL;
        const cJSON *error;

        must(json_parse(line, n, 0, &json, NULL) == 0);
        if (!json_get(json, "id"))
                return; /* a notification */
        (*answers)++;
        error = json_get(json, "error");
        must((error != NULL) != (json_get(json, "result") != NULL));
        must(!error || (json_text(error, "message") && json_get(error, "code")));
}

static unsigned check_answers(int client) {
        Buf buf = BUF_EMPTY(64u << 20);
        const char *line, *end;
        unsigned answers = 0;

        while (buf_read(&buf, client, 1 << 16) > 0)
                ;
        for (line = buf.data; buf.len > 0 && line < buf.data + buf.len; line = end + 1) {
                end = memchr(line, '\n', (size_t) (buf.data + buf.len - line));
                must(end != NULL);
                check_answer(line, (size_t) (end - line), &answers);
        }
        buf_deinit(&buf);
        return answers;
}

static void ask(const char *method, unsigned choice, const char *params, size_t n) {
        Buf text = BUF_EMPTY(PARAMS_MAX + 512);
        int passed[4], client = connect_client();
        unsigned n_fds = choice & 3;

        for (unsigned i = 0; i < n_fds; i++)
                passed[i] = fds[(i == 1 ? (choice >> 2) / FDS : choice >> 2) % FDS];
        must(buf_printf(&text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",", method) == 0);
        if (n_fds > 0)
                must(buf_printf(&text, "\"fds\":%u,", n_fds) == 0);
        must(buf_printf(&text, "\"params\":%.*s}\n", (int) n, params) == 0);
        for (char *at = text.data;
             (at = strchr(at, '\n')) && at[1];) /* a space, as far as JSON goes */
                *at = ' ';
        turn();
        send_all(client, text.data, text.len, passed, n_fds);
        buf_deinit(&text);
        for (unsigned i = 0; i < 4; i++)
                turn();
        must(check_answers(client) == 1);
        (void) close(client);
        for (unsigned i = 0; i < 4; i++)
                turn();
        must(!front.clients && !front.jails);
}

/* Tasks that were taken in have failed by now, and are rows; the next input finds none. */
static void forget_rows(void) {
        must(ledger_exec(front.ledger, NULL, "DELETE FROM tasks", "") == 0);
}

/* The lowest free descriptor is the one it was, as soon as the closing children have done their part. */
static bool none_left(int before) {
        for (unsigned i = 0; i < PATIENCE; i++) {
                int fd = dup(0);

                (void) close(fd);
                if (fd == before)
                        return true;
                (void) nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
                turn();
        }
        return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
        const char *params = (const char *) data + 2;
        SCOPED(json_free) cJSON *json = NULL;
        int before;

        if (n < 2 || n > PARAMS_MAX || json_parse(params, n - 2, 0, &json, NULL) < 0)
                return 0; /* rpc-line is about that */
        if (listener < 0)
                start();
        before = dup(0);
        (void) close(before);
        ask(methods[data[0] % ELEMENTS(methods)], data[1], params, n - 2);
        forget_rows();
        must(none_left(before));
        return 0;
}
