/*
 * audit: see audit.h.
 *
 * Theory of operation. A filter's kill queues a record before the signal is even sent, but a thread of the
 * kernel (kauditd) hands the queue to sockets, in order, some microseconds later: when init tells of a
 * command's end its record may be behind. Time says nothing there, order does: the front makes a record of its
 * own. Its filter logs one call (getpgid, which nothing else here makes), so calling it queues a *mark*; once
 * the mark is read, all that was queued before it has been read, or was lost. Only commands that ended by SIGSYS
 * wait for a mark, and at most MARK_USEC.
 *
 * Where the queue is full the kernel makes whoever adds a record wait, a minute if need be: a thread makes the
 * call, never the loop.
 *
 * A record counts for a command by its uid, which no other jail has, the pid, which the kernel itself told when
 * the child parked (INIT_PARKED), and a time that is not before the command's start: all else, and the records of
 * a command's children, is dropped. Lost records (ENOBUFS) can hide a cause, and never make one.
 */
#include "supervisor/front/commands/audit.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/owned.h"
#include "supervisor/front/jails/jails.h"

#define MARK_CALL      SYS_getpgid /* as build-aux/make-filters.c has it */
#define MARK_USEC      1000000
#define MARK_ACCURACY  10000
#define STACK_BYTES    (128 * 1024)
#define RECORDS_A_TURN 64
#define TURNS_USEC     100000 /* a host that floods us: no more than TURNS_MAX turns in it */
#define TURNS_MAX      20
#define RING_MAX       64 /* records of one jail */

struct AuditRing {
        AuditRecord items[RING_MAX];
        uint64_t n;
};

struct AuditWait {
        Audit *audit; /* borrowed, outlives us */
        AuditWait *next;
        uint64_t ticket; /* the mark that was made for this ticket or a later one tells */
        AuditDoneFn done;
        void *userdata;
};

typedef enum AuditState {
        AUDIT_UNKNOWN = 0, /* the first mark is under way */
        AUDIT_WORKS,       /* the last mark came */
        AUDIT_SILENT,      /* it did not: nobody waits until one comes */
        _AUDIT_STATE_MAX,
} AuditState;

static const char *const state_names[] = { "unknown", "works", "silent" };
_Static_assert(ELEMENTS(state_names) == _AUDIT_STATE_MAX, "a name for each state");

struct Audit {
        Front *front; /* borrowed, owns us */
        int fd;       /* borrowed; negative: none */
        uint32_t uid; /* our own */
        AuditState state;
        sd_event_source *io, *timer, *wake_io; /* owned */
        int wake;                              /* owned: an eventfd */
        pthread_t thread;                      /* makes one mark */
        bool is_running;                       /* the thread, until it is joined */
        atomic_bool is_done;
        bool is_marked;       /* a mark is under way */
        bool lost;            /* records were, and the mark may be one of them */
        uint64_t mark_msec;   /* an older one is of an earlier mark that came too late */
        uint64_t last, asked; /* the newest ticket; the newest that the mark under way is for */
        AuditWait *waits;     /* owned, newest first */
};

uint64_t audit_clock(void) {
        struct timespec now;

        (void) clock_gettime(CLOCK_REALTIME_COARSE, &now);
        return (uint64_t) now.tv_sec * 1000 + (uint64_t) now.tv_nsec / 1000000;
}

const char *audit_state(const Audit *audit) {
        return audit->fd < 0 ? "missing" : state_names[audit->state];
}

/* ---- who waits ------------------------------------------------------------------------------------ */

AuditWait *audit_forget(AuditWait *wait) {
        AuditWait **at;

        if (!wait)
                return NULL;
        for (at = &wait->audit->waits; *at && *at != wait; at = &(*at)->next)
                ;
        if (*at)
                *at = wait->next;
        free(wait);
        return NULL;
}

/* Whoever is told may end jails and commands, and so forget others: look again from the start each time. */
static void tell(Audit *audit, uint64_t ticket) {
        AuditWait **at = &audit->waits;

        while (*at) {
                autofree AuditWait *wait = *at;

                if (wait->ticket > ticket) {
                        at = &TAKE_PTR(wait)->next;
                        continue;
                }
                *at = wait->next;
                wait->done(wait->userdata);
                at = &audit->waits;
        }
}

/* ---- marks ---------------------------------------------------------------------------------------- */

/* The whole work of a thread. Syscalls: getpgid, write, exit. */
static void *make_mark(void *userdata) {
        static const uint64_t one = 1;
        Audit *audit = userdata;

        (void) syscall(MARK_CALL, 0);
        atomic_store(&audit->is_done, true);
        while (write(audit->wake, &one, sizeof one) < 0 && errno == EINTR)
                ;
        return NULL;
}

/* With all signals blocked: they are the loop's. Returns: 0 or a positive errno. */
static int start_thread(Audit *audit) {
        pthread_attr_t attr;
        sigset_t all, before;
        int r = pthread_attr_init(&attr);

        if (r != 0)
                return r;
        (void) sigfillset(&all);
        r = pthread_attr_setstacksize(&attr, STACK_BYTES);
        if (r == 0)
                r = pthread_sigmask(SIG_SETMASK, &all, &before);
        if (r == 0) {
                r = pthread_create(&audit->thread, &attr, make_mark, audit);
                (void) pthread_sigmask(SIG_SETMASK, &before, NULL);
        }
        (void) pthread_attr_destroy(&attr);
        return r;
}

static int mark(Audit *audit) {
        if (audit->is_marked || audit->is_running)
                return 0; /* its end makes the next one */
        atomic_store(&audit->is_done, false);
        audit->mark_msec = audit_clock();
        if (start_thread(audit) != 0)
                return -EAGAIN;
        audit->is_running = audit->is_marked = true;
        audit->asked = audit->last;
        audit->lost = false;
        (void) sd_event_source_set_time_relative(audit->timer, MARK_USEC);
        return sd_event_source_set_enabled(audit->timer, SD_EVENT_ONESHOT);
}

static void set_state(Audit *audit, AuditState state) {
        if (state == AUDIT_SILENT && audit->state != state)
                log_event(LOG_WARNING,
                          "the kernel's seccomp records do not come: see warder-front(8)");
        audit->state = state;
}

static void mark_end(Audit *audit, AuditState state) {
        audit->is_marked = false;
        (void) sd_event_source_set_enabled(audit->timer, SD_EVENT_OFF);
        set_state(audit, state);
        tell(audit, state == AUDIT_WORKS ? audit->asked : UINT64_MAX);
        if (audit->waits)
                (void) mark(audit);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Audit *audit = userdata;

        (void) source;
        (void) usec;
        mark_end(audit, audit->lost ? AUDIT_UNKNOWN : AUDIT_SILENT);
        return 0;
}

static int on_wake(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Audit *audit = userdata;
        uint64_t count;

        (void) source;
        (void) revents;
        if (read(fd, &count, sizeof count) < 0) /* empty: what it would say is looked at anyway */
                count = 0;
        if (!audit->is_running || !atomic_load(&audit->is_done))
                return 0;
        (void) pthread_join(audit->thread, NULL);
        audit->is_running = false;
        if (audit->waits && !audit->is_marked)
                (void) mark(audit);
        return 0;
}

int audit_await(Audit *audit, AuditDoneFn done, void *userdata, AuditWait **ret) {
        AuditWait *wait;
        bool silent = audit->state == AUDIT_SILENT;

        if (audit->fd < 0)
                return -ENOENT;
        if (silent || (audit->is_running && !audit->is_marked)) {
                (void) mark(audit); /* perhaps they come again */
                return -ENODATA;
        }
        wait = malloc(sizeof *wait);
        if (!wait)
                return -ENOMEM;
        *wait = (AuditWait){ audit, audit->waits, ++audit->last, done, userdata };
        audit->waits = wait;
        if (mark(audit) < 0) {
                audit_forget(wait);
                return -EAGAIN;
        }
        *ret = wait;
        return 0;
}

/* ---- records -------------------------------------------------------------------------------------- */

static void keep(FrontJail *jail, const AuditRecord *record) {
        AuditRing **ring = front_jail_audit(jail);

        if (!*ring)
                *ring = calloc(1, sizeof **ring);
        if (*ring)
                (*ring)->items[(*ring)->n++ % RING_MAX] = *record;
}

bool audit_find(const AuditRing *ring, int32_t pid, uint64_t msec, AuditRecord *ret) {
        uint64_t n = ring && ring->n < RING_MAX ? ring->n : RING_MAX;

        for (uint64_t i = 0; ring && pid > 0 && i < n; i++)
                if (ring->items[i].pid == pid && ring->items[i].msec >= msec) {
                        *ret = ring->items[i];
                        return true;
                }
        return false;
}

static bool is_kill(const AuditRecord *record) {
        return record->signal == SIGSYS && (record->code == SECCOMP_RET_KILL_PROCESS ||
                                            record->code == SECCOMP_RET_KILL_THREAD);
}

static bool is_mark(const Audit *audit, const AuditRecord *record) {
        return record->code == SECCOMP_RET_LOG && record->call == MARK_CALL &&
               record->msec >= audit->mark_msec;
}

/* A mark that comes after its time says that records do come, if late on a busy host. */
static void take_record(Audit *audit, const AuditRecord *record) {
        if (record->uid == audit->uid) {
                if (is_mark(audit, record) && audit->is_marked)
                        mark_end(audit, AUDIT_WORKS);
                else if (is_mark(audit, record))
                        set_state(audit, AUDIT_WORKS);
                return;
        }
        if (!is_kill(record))
                return;
        for (FrontJail *jail = audit->front->jails; jail; jail = front_jail_next(jail)) {
                uint32_t first = front_jail_id_base(jail);

                if (first != 0 && record->uid - first < JAIL_IDS)
                        keep(jail, record);
        }
}

/* Returns: whether there may be more. */
static bool read_one(Audit *audit) {
        struct sockaddr_nl from = { 0 };
        socklen_t n_from = sizeof from;
        union {
                struct nlmsghdr head;
                char bytes[AUDIT_RECORD_MAX];
        } in;
        AuditRecord record;
        ssize_t n = recvfrom(audit->fd, in.bytes, sizeof in.bytes, MSG_DONTWAIT,
                             (struct sockaddr *) &from, &n_from);

        if (n < 0 && errno == ENOBUFS)
                audit->lost = true;
        if (n < 0)
                return errno == ENOBUFS || errno == EINTR;
        if ((size_t) n < sizeof in.head || from.nl_pid != 0 || in.head.nlmsg_type != AUDIT_SECCOMP)
                return true;
        if (audit_record_parse(in.bytes + sizeof in.head, (size_t) n - sizeof in.head, &record) ==
            0)
                take_record(audit, &record);
        return true;
}

/* A mark that was lost with other records is made again. */
static int on_io(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Audit *audit = userdata;
        unsigned i = 0;

        (void) source;
        (void) fd;
        (void) revents;
        while (i < RECORDS_A_TURN && read_one(audit))
                i++;
        if (i < RECORDS_A_TURN && audit->lost && audit->is_marked && !audit->is_running) {
                audit->is_marked = false;
                (void) mark(audit);
        }
        return 0;
}

/* ---- the whole ------------------------------------------------------------------------------------ */

static int watch(Audit *audit) {
        sd_event *event = audit->front->event;
        int r = sd_event_add_io(event, &audit->io, audit->fd, EPOLLIN, on_io, audit);

        if (r >= 0)
                r = sd_event_source_set_ratelimit(audit->io, TURNS_USEC, TURNS_MAX);
        if (r >= 0)
                r = sd_event_add_io(event, &audit->wake_io, audit->wake, EPOLLIN, on_wake, audit);
        if (r >= 0)
                r = sd_event_add_time_relative(event, &audit->timer, CLOCK_MONOTONIC, MARK_USEC,
                                               MARK_ACCURACY, on_timer, audit);
        if (r < 0)
                return r;
        (void) sd_event_source_set_description(audit->io, "audit");
        (void) sd_event_source_set_description(audit->wake_io, "audit-mark");
        (void) sd_event_source_set_description(audit->timer, "audit-timer");
        return sd_event_source_set_enabled(audit->timer, SD_EVENT_OFF);
}

int audit_new(Front *front, int fd, Audit **ret, Error *err) {
        SCOPED(audit_free) Audit *audit = calloc(1, sizeof(Audit));
        int r;

        if (!audit)
                return error_set(err, -ENOMEM, "listen to the kernel's audit");
        audit->front = front;
        audit->fd = fd;
        audit->uid = getuid();
        audit->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (audit->wake < 0)
                return error_set(err, -errno, "listen to the kernel's audit");
        r = fd < 0 ? 0 : watch(audit);
        if (r < 0)
                return error_set(err, r, "listen to the kernel's audit");
        *ret = TAKE_PTR(audit);
        return 0;
}

void audit_start(Audit *audit) {
        if (audit->fd >= 0)
                (void) mark(audit);
}

Audit *audit_free(Audit *audit) {
        if (!audit)
                return NULL;
        sd_event_source_disable_unref(audit->io);
        sd_event_source_disable_unref(audit->timer);
        sd_event_source_disable_unref(audit->wake_io);
        audit->io = audit->timer = audit->wake_io = NULL;
        while (audit->waits)
                audit_forget(audit->waits);
        if (audit->is_running && !atomic_load(&audit->is_done))
                return NULL; /* its thread still writes there: the process's end frees it */
        if (audit->is_running)
                (void) pthread_join(audit->thread, NULL);
        if (audit->wake >= 0)
                (void) close(audit->wake);
        free(audit);
        return NULL;
}
