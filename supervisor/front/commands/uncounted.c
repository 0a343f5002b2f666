/*
 * uncounted: see uncounted.h.
 *
 * A command can connect to itself, send, and never accept: what it sent is charged to nobody, because the
 * kernel charges a connection when it is accepted. Nothing per group or per network namespace bounds that;
 * net.ipv4.tcp_mem bounds it for the whole host, by making TCP slow for all. So two numbers of the kernel are
 * looked at four times a second, while a jail is alive: how many pages TCP uses on this host (sockstat's "mem"
 * counts all network namespaces), and tcp_mem. As long as it uses little, that is all.
 *
 * Above `look`, each jail's init counts what its own connections hold so (sandbox/init/uncounted.h). The
 * rule: a jail may hold no more of what is not counted than of what is, its memory limit. Who holds more has
 * run out of memory: all that runs in it is ended with cause oom, which closes its listeners, and the memory is
 * back. Above `pressure`, where the kernel would soon act against everybody, the jail that holds most of
 * it goes, below its limit too, once a look, if it holds enough to matter.
 *
 * A connection that its peer reset before it was accepted is on no list: an init can only say how much such ones
 * hold at most. That is no proof, and a listener with a few of them is no fault: it counts only as far as TCP uses
 * memory that is in no jail's list, seen or charged. So what one jail rightly holds is no reason to end another.
 *
 * What is charged can also be far less than what is held: a jail can make its sockets refer to small parts of
 * large pieces of memory (init's uncounted.h). That shows nowhere but in the host's memory, a part of which is
 * used and in no line of meminfo that tells whose it is. Where that is more than a quarter of all, the jails are
 * asked too, and the
 * one whose sockets may pin most is ended, one a look, if they may pin more than its memory limit. "May" is a
 * good deal more than "do": half a megabyte of unread small messages can be 400 MiB, and mostly is not. On a
 * host where something else takes a quarter without a line in meminfo (ZFS's cache, say), a jail full of such
 * messages is ended without need.
 *
 * Locks of files (fcntl) are charged to nobody either: 192 bytes each, a million and more of them a second. They
 * stand among the kernel's small objects in meminfo. Where those take more than a sixteenth of memory, or have grown by a
 * sixty-fourth within minutes, each init counts its jail's locks as well, as far as INIT_LOCKS_MAX: no program
 * needs as many, and who has them is out of memory. To count them all would take the kernel minutes, in which nobody
 * else locks.
 *
 * LIMIT: between two looks a jail can go on: 50 to 250 MiB for each processor that it may use.
 *
 * A jail's init is not believed further than its jail: what it says can only end what runs in it, or
 * (a low number, no answer) save it from that, and then the host's own bound is what is left, as without us.
 */
#include "supervisor/front/commands/uncounted.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "base/log.h"
#include "supervisor/front/commands/commands.h"
#include "supervisor/front/commands/host-figures.h"
#include "supervisor/front/commands/slots.h"
#include "supervisor/front/jails/init-link.h"
#include "supervisor/front/jails/jails.h"
#include "supervisor/front/policy/accounts.h"

#define LOOK_USEC     250000
#define FEW_JAILS     64 /* what these take of the kernel is in the bounds of host-figures.c */
#define KERNEL_EACH   (512 << 10) /* bytes of the kernel's that an idle jail takes, and some more */
#define LOOK_ACCURACY 50000
#define MATTERS       64 /* of what TCP uses: a jail with less than one part is never the one to go */
#define PATIENCE      60 /* looks at a host that is short of memory, for an init that does not answer */
#define LOCK_BYTES    192 /* struct file_lock, Linux 6.1 to 6.18 */

typedef struct Asked Asked;

struct Asked { /* an init that has not answered yet */
        Asked *next;
        Uncounted *uncounted; /* borrowed */
        FrontJail *jail;      /* borrowed; its link tells us before it goes */
        unsigned looks;       /* since then, at a host that was short of memory */
        bool idle;            /* nothing ran in it when it was asked */
        bool stale;           /* what it was asked of has been ended since */
};

typedef struct Candidate { /* of the jails that answered since the last look */
        char jail[ID_MAX];
        uint64_t bytes; /* 0: none */
        uint64_t limit; /* its own, of memory */
        bool idle;      /* nothing ran in it when it was asked */
} Candidate;

struct Uncounted {
        Front *front;           /* borrowed */
        sd_event_source *timer; /* owned; off while no jail is alive */
        HostFiles files;
        Asked *asked;     /* owned */
        HostFigures host; /* at the last look */
        uint64_t listed,
                listed_before; /* bytes that inits listed since the last look, and up to it */
        Candidate holds, hides, pins; /* most of all */
        Candidate over;   /* of those that may hide more than their limit: the one with the least */
        bool cannot_tell; /* an init could not count, and that was logged */
};

/* What was said of a jail before all that ran in it was ended. */
static void forget(Uncounted *uncounted, const FrontJail *jail) {
        Candidate *const known[] = { &uncounted->holds, &uncounted->hides, &uncounted->pins,
                                     &uncounted->over };

        for (Asked *at = uncounted->asked; at; at = at->next)
                at->stale = at->stale || at->jail == jail;
        for (size_t i = 0; i < ELEMENTS(known); i++)
                if (strcmp(known[i]->jail, front_jail_id(jail)) == 0)
                        *known[i] = (Candidate){ .bytes = 0 };
}

/*
 * Its commands go, and their listeners with them. A jail in which nothing ran when it was asked (@idle) goes
 * itself. Where something did and has ended since, the memory may be back: the next look tells.
 */
static void exhausted(Uncounted *uncounted, FrontJail *jail, Hit hit, uint64_t bytes, bool idle) {
        char held[24];

        (void) snprintf(held, sizeof held, "%" PRIu64, bytes);
        log_event(LOG_WARNING, "jail holds what no limit counts: it is out of memory",
                  F("JAIL", front_jail_id(jail)), F("OF", hit_name(hit)), F("BYTES", held));
        forget(uncounted, jail);
        if (!commands_exhausted(jail, hit, bytes) && idle)
                front_jail_end(jail, NULL, NULL);
}

static uint64_t lesser(uint64_t a, uint64_t b) {
        return a < b ? a : b;
}

/* What a jail's init listed, seen and charged: no more than all of the host. */
static void add_listed(Uncounted *uncounted, const InitEvent *event) {
        uint64_t most = uncounted->host.tcp, left = most - lesser(most, uncounted->listed);

        left -= lesser(left, event->value);
        left -= lesser(left, event->kept[0]);
        uncounted->listed = most - left;
}

static void choose(Candidate *candidate, const Asked *asked, uint64_t bytes) {
        *candidate = (Candidate){ .bytes = bytes,
                                  .limit = front_jail_limits(asked->jail)->plan.memory_bytes,
                                  .idle = asked->idle };
        (void) snprintf(candidate->jail, sizeof candidate->jail, "%s", front_jail_id(asked->jail));
}

static void compare(Candidate *largest, const Asked *asked, uint64_t bytes) {
        if (bytes > largest->bytes)
                choose(largest, asked, bytes);
}

/*
 * How much of it counts is known at the next look. Whoever hides more than its limit then has the least
 * limit of all such now, or nobody does.
 */
static void compare_hidden(Uncounted *uncounted, const Asked *asked, uint64_t bytes) {
        uint64_t limit = front_jail_limits(asked->jail)->plan.memory_bytes;

        compare(&uncounted->hides, asked, bytes);
        if (bytes > limit && (uncounted->over.bytes == 0 || limit < uncounted->over.limit))
                choose(&uncounted->over, asked, bytes);
}

static void judge(Uncounted *uncounted, const Asked *asked, const InitEvent *event) {
        uint64_t limit = front_jail_limits(asked->jail)->plan.memory_bytes;
        uint64_t held = lesser(event->value, uncounted->host.tcp);
        uint64_t pinned = lesser(event->seen[1], uncounted->host.unexplained);

        add_listed(uncounted, event);
        if (held > limit && uncounted->host.tcp > uncounted->host.tcp_look) {
                exhausted(uncounted, asked->jail, HIT_SOCKETS, held, asked->idle);
                return;
        }
        if (event->kept[1] >= INIT_LOCKS_MAX && host_figures_is_locked(&uncounted->host)) {
                exhausted(uncounted, asked->jail, HIT_LOCKS, event->kept[1] * LOCK_BYTES,
                          asked->idle);
                return;
        }
        compare(&uncounted->holds, asked, held);
        compare_hidden(uncounted, asked, event->seen[0]);
        if (pinned > limit)
                compare(&uncounted->pins, asked, pinned);
}

static void cannot_tell(Uncounted *uncounted, FrontJail *jail, int code) {
        Error err = ERROR_EMPTY;

        if (uncounted->cannot_tell)
                return;
        uncounted->cannot_tell = true;
        (void) error_set(&err, code, "ask the kernel by sock_diag (is there a module tcp_diag)");
        log_event(LOG_WARNING, "what jails hold in unaccepted connections cannot be told",
                  F("JAIL", front_jail_id(jail)), F_ERR(&err));
}

static void on_count(const InitEvent *event, int *fds, unsigned n_fds, void *userdata) {
        autofree Asked *asked = userdata;
        Uncounted *uncounted = asked->uncounted;
        Asked **at = &uncounted->asked;

        (void) fds;
        (void) n_fds;
        while (*at != asked)
                at = &(*at)->next;
        *at = asked->next;
        if (!event || asked->stale || front_jail_state(asked->jail) != FRONT_JAIL_READY)
                return;
        if (event->code < 0)
                cannot_tell(uncounted, asked->jail, event->code);
        else
                judge(uncounted, asked, event);
}

/* What dies gives its memory back, or is stuck and is asked later. */
static bool can_be_asked(const Uncounted *uncounted, FrontJail *jail) {
        if (front_jail_state(jail) != FRONT_JAIL_READY || slots_dying(front_jail_slots(jail)))
                return false;
        for (const Asked *at = uncounted->asked; at; at = at->next)
                if (at->jail == jail)
                        return false;
        return true;
}

/* Where it cannot be asked, it is at the next look. */
static void ask(Uncounted *uncounted, FrontJail *jail) {
        InitCount request = { .head.kind = INIT_COUNT,
                              .locks = host_figures_is_locked(&uncounted->host) };
        const InitMessage packet = { &request, sizeof request, NULL, 0 };
        autofree Asked *asked = malloc(sizeof *asked);

        if (!asked)
                return;
        *asked = (Asked){ .next = uncounted->asked,
                          .uncounted = uncounted,
                          .jail = jail,
                          .idle = slots_busy(front_jail_slots(jail)) == 0 };
        if (init_link_send(front_jail_init(jail), &packet, on_count, asked, NULL) < 0)
                return;
        uncounted->asked = TAKE_PTR(asked);
}

static bool relieve(Uncounted *uncounted, Candidate *candidate, bool needed) {
        FrontJail *jail = front_jail_find(uncounted->front, candidate->jail, 0);
        bool goes = needed && jail && front_jail_state(jail) == FRONT_JAIL_READY;

        if (goes)
                exhausted(uncounted, jail, HIT_SOCKETS, candidate->bytes, candidate->idle);
        *candidate = (Candidate){ .bytes = 0 };
        return goes;
}

/* What inits that have not answered may have to list: all that may be charged to their jails. */
static uint64_t unanswered(const Uncounted *uncounted) {
        uint64_t left = uncounted->host.tcp;

        for (const Asked *at = uncounted->asked; at; at = at->next)
                left -= lesser(left, front_jail_limits(at->jail)->plan.memory_bytes);
        return uncounted->host.tcp - left;
}

/*
 * What TCP used at the last look and no init listed after it: later, so that what a jail fills meanwhile is
 * not missing. Some answer late on a busy host, so the answers before count too.
 */
static uint64_t unlisted(const Uncounted *uncounted) {
        uint64_t listed = uncounted->listed > uncounted->listed_before ? uncounted->listed
                                                                       : uncounted->listed_before;
        uint64_t left = uncounted->host.tcp - lesser(uncounted->host.tcp, listed);

        return left - lesser(left, unanswered(uncounted));
}

/* By the numbers of the last look, before those of this one are read: answers and numbers belong together. */
static void relieve_of_hidden(Uncounted *uncounted) {
        const HostFigures *host = &uncounted->host;
        Candidate *hides = &uncounted->hides, *over = &uncounted->over;
        uint64_t most = unlisted(uncounted);
        bool relieved;

        hides->bytes = lesser(hides->bytes, most);
        over->bytes = lesser(over->bytes, most);
        relieved = relieve(uncounted, over, over->bytes > over->limit);
        (void) relieve(uncounted, hides,
                       !relieved && host->tcp > host->tcp_most &&
                               hides->bytes > host->tcp / MATTERS);
        uncounted->listed_before = uncounted->listed;
        uncounted->listed = 0;
}

/* Those with the most go, of who answered since the last look; what is left of them shows the next time. */
static void relieve_host(Uncounted *uncounted) {
        const HostFigures *host = &uncounted->host;

        (void) relieve(uncounted, &uncounted->holds,
                       host->tcp > host->tcp_most && uncounted->holds.bytes > host->tcp / MATTERS);
        (void) relieve(uncounted, &uncounted->pins, host_figures_is_much(host));
}

static bool is_short(const HostFigures *host) {
        return host->tcp > host->tcp_most || host_figures_is_much(host);
}

/*
 * An init that does not say what its jail holds may wait for a server of its own user's (a file that is never
 * opened). While the host is short of memory that saves no jail for long: one goes, a look.
 */
static void end_silent(Uncounted *uncounted) {
        FrontJail *silent = NULL;

        for (Asked *at = uncounted->asked; at; at = at->next)
                if (++at->looks >= PATIENCE && front_jail_state(at->jail) == FRONT_JAIL_READY)
                        silent = at->jail; /* the list's last was asked first */
        if (!silent)
                return;
        log_event(LOG_WARNING,
                  "jail is ended: the host is short of memory, and its init does not say what it "
                  "holds",
                  F("JAIL", front_jail_id(silent)));
        front_jail_end(silent, NULL, NULL);
}

/*
 * A thousand jails that are made one after the other are no attack: to ask each of them four times a second whether
 * it is would keep the host busy.
 */
static uint64_t usual_kernel(const Front *front) {
        unsigned jails = accounts_totals(front->accounts)->jails;

        return jails > FEW_JAILS ? (uint64_t) (jails - FEW_JAILS) * KERNEL_EACH : 0;
}

static void look(Uncounted *uncounted) {
        const HostFigures *host = &uncounted->host;
        FrontJail *next;

        uncounted->host.usual = usual_kernel(uncounted->front);
        relieve_of_hidden(uncounted);
        if (!host_figures_read(&uncounted->files, uncounted->front->pressure, &uncounted->host))
                return;
        relieve_host(uncounted);
        if (is_short(host))
                end_silent(uncounted);
        if (host->tcp <= host->tcp_look && !host_figures_is_much(host) &&
            !host_figures_is_locked(host))
                return;
        for (FrontJail *jail = uncounted->front->jails; jail; jail = next) {
                next = front_jail_next(jail);
                if (can_be_asked(uncounted, jail))
                        ask(uncounted, jail);
        }
}

static int on_look(sd_event_source *source, uint64_t usec, void *userdata) {
        Uncounted *uncounted = userdata;

        (void) usec;
        if (!uncounted->front->jails)
                return 0; /* the next one's uncounted_watch() goes on */
        look(uncounted);
        (void) sd_event_source_set_time_relative(source, LOOK_USEC);
        return sd_event_source_set_enabled(source, SD_EVENT_ONESHOT);
}

int uncounted_new(Front *front, int sockstat, int tcp_mem, Uncounted **ret, Error *err) {
        SCOPED(uncounted_free) Uncounted *uncounted = calloc(1, sizeof(Uncounted));
        int r;

        if (!uncounted)
                return error_set(err, -ENOMEM, "watch the host's TCP memory");
        *uncounted = (Uncounted){ .front = front,
                                  .files = { sockstat, tcp_mem },
                                  .host = { .total = front->info.memory_total } };
        r = sd_event_add_time_relative(front->event, &uncounted->timer, CLOCK_MONOTONIC, 0,
                                       LOOK_ACCURACY, on_look, uncounted);
        if (r >= 0)
                r = sd_event_source_set_enabled(uncounted->timer, SD_EVENT_OFF);
        if (r < 0)
                return error_set(err, r, "watch the host's TCP memory");
        (void) sd_event_source_set_description(uncounted->timer, "uncounted");
        *ret = TAKE_PTR(uncounted);
        return 0;
}

Uncounted *uncounted_free(Uncounted *uncounted) {
        if (!uncounted)
                return NULL;
        sd_event_source_disable_unref(uncounted->timer);
        free(uncounted);
        return NULL;
}

void uncounted_watch(Uncounted *uncounted) {
        int enabled;

        if (sd_event_source_get_enabled(uncounted->timer, &enabled) >= 0 && enabled != SD_EVENT_OFF)
                return;
        uncounted->host.kernel_calm = UINT64_MAX;
        (void) sd_event_source_set_time_relative(uncounted->timer, LOOK_USEC);
        (void) sd_event_source_set_enabled(uncounted->timer, SD_EVENT_ONESHOT);
}
