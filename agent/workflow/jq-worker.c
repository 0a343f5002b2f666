/*
 * jq-worker: see jq-worker.h.
 *
 *   agent: frame, bytes  ->  worker: limits, libjq  ->  frame, bytes  (or one frame that says what ended it, and the end)
 *
 * The limits are the kernel's own, so that they hold wherever libjq is: processor time (SIGXCPU), memory (RLIMIT_DATA), the
 * stack (SIGSEGV). The handlers only write a frame that is ready, and go; a reply that was half written then
 * ends too soon: the other side takes it for one that was killed.
 *
 * Rejected: a thread, which cannot be ended and has its memory with everybody; a signal in the agent itself, which
 * could only end all of it, since libjq cannot be left in the middle.
 */
#include "agent/workflow/jq-worker.h"

#include <fcntl.h>
#include <signal.h>
#include <stdnoreturn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "agent/filter.h"
#include "agent/workflow/jq.h"
#include "base/buf.h"
#include "base/fds.h"
#include "base/lockdown.h"
#include "base/log.h"
#include "base/sanitizer.h"

#define WORKER_FD       3 /* of the worker: a number, because its handlers can be handed nothing */
#define WORKER_NAME     "warder-jq"
#define COMPILE_CPU_SEC 60u /* where one is no jq, each is compiled again to find it */
#define BYTES_MAX       (64u << 20)
#define STACK_BYTES     65536u /* of the handler that says that the stack is used up */

typedef enum FrameKind {
        FRAME_COMPILE, /* number: of texts, each ended by a 0 */
        FRAME_CHECK,   /* one text */
        FRAME_EVAL,    /* number: of the expression; its data as JSON */
        FRAME_VALUE,   /* JSON */
        FRAME_FAULT,   /* number: a positive errno; bytes: what is wrong; culprit */
        FRAME_CPU,
        FRAME_MEMORY,
        FRAME_STACK,
} FrameKind;

typedef struct Frame {
        uint32_t kind, number, culprit, n; /* n: bytes that follow */
} Frame;

struct JqWorker {
        int fd;     /* owned; -EBADF: it has ended */
        bool vital; /* jq_worker_set_vital() */
        Error last; /* why */
};

/* ---- both sides ---------------------------------------------------------------------------------- */

static int send_all(int fd, const void *bytes, size_t n) {
        for (size_t done = 0; done < n;) {
                ssize_t sent = fds_send(fd, (const char *) bytes + done, n - done, NULL, 0);

                if (sent == -EINTR)
                        continue;
                if (sent < 0)
                        return (int) sent;
                done += (size_t) sent;
        }
        return 0;
}

static int read_all(int fd, void *bytes, size_t n) {
        for (size_t done = 0; done < n;) {
                ssize_t got = read(fd, (char *) bytes + done, n - done);

                if (got < 0 && errno == EINTR)
                        continue;
                if (got <= 0)
                        return got < 0 ? -errno : -EPIPE;
                done += (size_t) got;
        }
        return 0;
}

static int send_frame(int fd, const Frame *frame, const char *bytes) {
        int r = send_all(fd, frame, sizeof(*frame));

        return r < 0 ? r : send_all(fd, bytes, frame->n);
}

/* Returns: 0 with fresh bytes, ended by a 0 that is not counted; negative errno */
static int read_frame(int fd, Frame *ret_frame, char **ret_bytes) {
        autofree char *bytes = NULL;
        int r = read_all(fd, ret_frame, sizeof(*ret_frame));

        if (r < 0 || ret_frame->n > BYTES_MAX)
                return r < 0 ? r : -EFBIG;
        bytes = malloc((size_t) ret_frame->n + 1);
        if (!bytes)
                return -ENOMEM;
        r = read_all(fd, bytes, ret_frame->n);
        if (r < 0)
                return r;
        bytes[ret_frame->n] = '\0';
        *ret_bytes = TAKE_PTR(bytes);
        return 0;
}

/* ---- the worker ---------------------------------------------------------------------------------- */

/* Called from handlers: nothing but system calls */
static noreturn void end_as(FrameKind kind) {
        const Frame frame = { .kind = kind };

        (void) send(WORKER_FD, &frame, sizeof(frame), MSG_NOSIGNAL);
        _exit(1);
}

static void on_signal(int signal) {
        end_as(signal == SIGXCPU ? FRAME_CPU : FRAME_STACK);
}

static void on_no_memory(void *userdata) {
        (void) userdata;
        end_as(FRAME_MEMORY);
}

static int catch_ends(Error *err) {
        static const int signals[] = { SIGXCPU, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
        struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_ONSTACK };
        stack_t stack = { .ss_size = STACK_BYTES };

        stack.ss_sp = malloc(STACK_BYTES); /* for as long as the process lives */
        if (!stack.ss_sp || sigaltstack(&stack, NULL) < 0)
                return error_set(err, stack.ss_sp ? -errno : -ENOMEM, "make a stack");
        for (unsigned i = 0; i < ELEMENTS(signals); i++)
                if (sigaction(signals[i], &action, NULL) < 0)
                        return error_set(err, -errno, "catch a signal");
        return 0;
}

static int limit(int resource, uint64_t most, Error *err) {
        struct rlimit limits;

        if (getrlimit(resource, &limits) < 0)
                return error_set(err, -errno, "read a limit");
        limits.rlim_cur = most < limits.rlim_max ? most : limits.rlim_max;
        return setrlimit(resource, &limits) < 0 ? error_set(err, -errno, "set a limit") : 0;
}

static int limit_cpu(unsigned sec, Error *err) {
        struct timespec used;

        if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) < 0)
                return error_set(err, -errno, "read the clock");
        return limit(RLIMIT_CPU, (uint64_t) used.tv_sec + 1 + sec, err);
}

static int limit_memory(Error *err) {
#ifdef __SANITIZE_ADDRESS__ /* its shadow is terabytes of such memory */
        (void) err;
        return 0;
#else
        return limit(RLIMIT_DATA, JQ_WORKER_MEMORY_BYTES, err);
#endif
}

static int compile(const Frame *asked, const char *bytes, JqProgram **program, unsigned *culprit,
                   Error *err) {
        const char *end = bytes + asked->n;
        SCOPED(jq_program_free) JqProgram *made = NULL;
        autofree const char **texts = calloc(asked->number, sizeof(*texts));
        unsigned n = 0;
        int r;

        if (!texts)
                return error_set(err, -ENOMEM, "compile jq");
        for (; n < asked->number && bytes < end; bytes += strlen(bytes) + 1)
                texts[n++] = bytes;
        r = jq_program_new(texts, n, &made, culprit, err);
        if (r < 0)
                return r;
        jq_program_on_no_memory(made, on_no_memory);
        jq_program_free(*program);
        *program = TAKE_PTR(made);
        return 0;
}

static int serve_one(JqProgram **program, const Frame *asked, const char *bytes) {
        autofree char *value = NULL;
        Error err = ERROR_EMPTY;
        Frame frame = { .kind = FRAME_VALUE };
        unsigned culprit = 0;
        int r = limit_cpu(asked->kind == FRAME_COMPILE ? COMPILE_CPU_SEC : JQ_WORKER_CPU_SEC, &err);

        if (r >= 0 && asked->kind == FRAME_COMPILE)
                r = compile(asked, bytes, program, &culprit, &err);
        else if (r >= 0 && asked->kind == FRAME_CHECK)
                r = jq_check(bytes, &err);
        else if (r >= 0)
                r = *program ? jq_program_eval(*program, asked->number, bytes, &value, &err)
                             : error_say(&err, -EINVAL, "nothing is compiled");
        if (r >= 0 && value && strlen(value) > BYTES_MAX)
                r = error_say(&err, -EINVAL, "its value is longer than %u MiB", BYTES_MAX >> 20);
        if (r < 0)
                frame = (Frame){ .kind = FRAME_FAULT, .number = (uint32_t) -r, .culprit = culprit };
        frame.n = (uint32_t) strlen(r < 0 ? err.text : value ? value : "");
        return send_frame(WORKER_FD, &frame, r < 0 ? err.text : value ? value : "");
}

static int prepare(Error *err) {
        int filter = filter_agent_fd(err);
        int r = filter < 0 ? filter : limit_memory(err);

        if (r >= 0)
                r = catch_ends(err);
        return r < 0 ? r : lock_down(WORKER_FD, filter, err);
}

static noreturn void work(int fd, char *title) {
        JqProgram *program = NULL;
        Error err = ERROR_EMPTY;
        int r;

        if (title && strlen(title) >= strlen(WORKER_NAME))
                (void) strncpy(title, WORKER_NAME, strlen(title));
        (void) prctl(PR_SET_NAME, WORKER_NAME, 0, 0, 0);
        r = dup2(fd, WORKER_FD) < 0 ? -errno : 0;
        (void) close(0); /* who started the agent waits for the end of its output */
        (void) close(1);
        if (r >= 0)
                r = prepare(&err);
        while (r >= 0) {
                autofree char *bytes = NULL;
                Frame asked;

                r = read_frame(WORKER_FD, &asked, &bytes);
                if (r == -ENOMEM)
                        end_as(FRAME_MEMORY);
                if (r >= 0)
                        r = serve_one(&program, &asked, bytes);
        }
        _exit(0);
}

/* ---- who asks ------------------------------------------------------------------------------------ */

int jq_worker_new(char *title, JqWorker **ret_worker, Error *err) {
        SCOPED(jq_worker_free) JqWorker *worker = calloc(1, sizeof(*worker));
        int pair[2];
        pid_t pid;

        if (!worker)
                return error_set(err, -ENOMEM, "start jq");
        worker->fd = -EBADF;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set(err, -errno, "start jq");
        worker->fd = pair[0];
        pid = fork();
        if (pid == 0)
                work(pair[1], title);
        (void) close(pair[1]);
        if (pid < 0)
                return error_set(err, -errno, "start jq");
        *ret_worker = TAKE_PTR(worker);
        return 0;
}

int jq_worker_place(JqWorker *worker, int fd, Error *err) {
        if (worker->fd == fd)
                return 0;
        if (dup3(worker->fd, fd, O_CLOEXEC) < 0)
                return error_set(err, -errno, "place the descriptor of jq");
        owned_close(&worker->fd);
        worker->fd = fd;
        return 0;
}

JqWorker *jq_worker_free(JqWorker *worker) {
        if (worker)
                owned_close(&worker->fd);
        free(worker);
        return NULL;
}

void jq_worker_set_vital(JqWorker *worker) {
        if (worker)
                worker->vital = true;
}

/* Whatever an expression does, the worker says what ended it. Without a word it was killed, as anybody may be. */
static int killed(JqWorker *worker, Error *err) {
        if (worker->vital) {
                log_event(LOG_ERR, "jq was killed: the agent ends, too");
                abort(); /* by a signal: who ends with a code has said what it had to say */
        }
        (void) error_say(&worker->last, -EINVAL, "jq was killed");
        owned_close(&worker->fd);
        worker->fd = -EBADF;
        return error_say(err, worker->last.code, "%s", worker->last.text);
}

static int ended(JqWorker *worker, FrameKind asked, FrameKind kind, Error *err) {
        Error *last = &worker->last;

        if (kind == FRAME_CPU)
                (void) error_say(last, -EINVAL, "jq took more than %u s of processor time",
                                 asked == FRAME_COMPILE ? COMPILE_CPU_SEC : JQ_WORKER_CPU_SEC);
        else if (kind == FRAME_MEMORY)
                (void) error_say(last, -EINVAL, "jq needed more than %llu MiB of memory",
                                 JQ_WORKER_MEMORY_BYTES >> 20);
        else
                (void) error_say(last, -EINVAL,
                                 "jq ended: what it makes is nested too deeply, or it has a fault");
        owned_close(&worker->fd);
        worker->fd = -EBADF;
        return error_say(err, last->code, "%s", last->text);
}

/* Returns: 0 with a value, fresh; what the fault says */
static int request(JqWorker *worker, const Frame *asked, const char *bytes, Frame *ret_frame,
                   char **ret_value, Error *err) {
        autofree char *text = NULL;
        int r;

        if (worker->fd < 0)
                return error_say(err, worker->last.code, "an expression before it ended jq: %s",
                                 worker->last.text);
        r = send_frame(worker->fd, asked, bytes);
        if (r >= 0)
                r = read_frame(worker->fd, ret_frame, &text);
        if (r == -ENOMEM)
                return error_set(err, r, "ask jq");
        if (r < 0)
                return killed(worker, err);
        if (ret_frame->kind != FRAME_VALUE && ret_frame->kind != FRAME_FAULT)
                return ended(worker, (FrameKind) asked->kind, (FrameKind) ret_frame->kind, err);
        if (ret_frame->kind == FRAME_FAULT)
                return error_say(err, ret_frame->number == ENOMEM ? -ENOMEM : -EINVAL, "%s", text);
        *ret_value = TAKE_PTR(text);
        return 0;
}

int jq_worker_compile(JqWorker *worker, const char *const *texts, unsigned n, unsigned *ret_culprit,
                      Error *err) {
        autobuf Buf all = BUF_EMPTY(BYTES_MAX);
        autofree char *nothing = NULL;
        Frame asked = { .kind = FRAME_COMPILE, .number = n }, frame = { .culprit = n };
        int r = 0;

        for (unsigned i = 0; i < n && r >= 0; i++)
                r = buf_append(&all, texts[i], strlen(texts[i]) + 1);
        if (r < 0)
                return error_set(err, r, "ask jq");
        asked.n = (uint32_t) all.len;
        r = request(worker, &asked, all.data ? all.data : "", &frame, &nothing, err);
        *ret_culprit = frame.kind == FRAME_FAULT ? frame.culprit : n;
        return r;
}

int jq_worker_check(JqWorker *worker, const char *text, Error *err) {
        Frame asked = { .kind = FRAME_CHECK, .n = (uint32_t) strlen(text) }, frame;
        autofree char *nothing = NULL;

        return request(worker, &asked, text, &frame, &nothing, err);
}

int jq_worker_eval(JqWorker *worker, unsigned index, const cJSON *data, cJSON **ret_value,
                   Error *err) {
        autofree char *text = json_print(data), *value = NULL;
        Frame asked = { .kind = FRAME_EVAL, .number = index }, frame;
        int r;

        if (!text)
                return error_set(err, -ENOMEM, "evaluate");
        if (strlen(text) > BYTES_MAX)
                return error_say(err, -EINVAL, "what it is asked of is longer than %u MiB",
                                 BYTES_MAX >> 20);
        asked.n = (uint32_t) strlen(text);
        r = request(worker, &asked, text, &frame, &value, err);
        if (r < 0 || !value)
                return r < 0 ? r : -EIO;
        return json_parse(value, strlen(value), 0, ret_value, err);
}
