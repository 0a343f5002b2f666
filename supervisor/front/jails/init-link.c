/*
 * init-link: see init-link.h.
 *
 * Each request is remembered until its last event. An event is believed only if a request with its id is
 * open and its kind is one that this request can get, and has not got; so a hostile init cannot keep the
 * front busy. Descriptors come only with a last event.
 */
#include "supervisor/front/jails/init-link.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "supervisor/front/closer.h"
#include "supervisor/front/packets.h"

#define OPEN_MAX 512 /* requests without their last event */
#define PARKED_MAX \
        128 /* twice the slots: those whose command has ended, but is not told yet, too */
#define PARKED_FIRST 256 /* children that may park before any command; each command lets more */
#define PARKED_EACH  16

typedef struct Open Open;

struct Open {
        Open *next;
        uint64_t id;
        uint32_t kind;     /* InitRequestKind */
        uint32_t seen;     /* BIT() of events before the last one: each comes once */
        InitEventFn event; /* NULL: forgotten */
        void *userdata;
};

typedef struct Parked {
        uint32_t inside; /* pid in the jail's own numbers */
        int32_t pid;     /* the same process as we see it */
} Parked;

struct InitLink {
        Front *front; /* borrowed, outlives us */
        Packets *packets;
        Open *open; /* owned, newest first */
        unsigned n_open;
        Parked parked[PARKED_MAX]; /* a ring: the newest of one number counts */
        uint64_t n_parked;
        uint64_t may_park; /* more of them is no init of ours */
        InitBrokenFn broken;
        void *userdata;
};

/* What may answer a request; the last column ends it. */
static const struct {
        uint32_t last;
        uint32_t before; /* BIT() of kinds that may come before */
        unsigned n_fds;  /* most descriptors with the last one */
} answers[_INIT_REQUEST_MAX] = {
        [INIT_EXEC] = { INIT_ENDED, BIT(INIT_STARTED) | BIT(INIT_OUTPUT_LIMIT), 2 },
        [INIT_SIGNAL] = { INIT_DONE, 0, 0 },
        [INIT_OPEN] = { INIT_OPENED, 0, 1 },
        [INIT_SLOT] = { INIT_DONE, 0, 0 },
        [INIT_LISTEN] = { INIT_LISTENING, 0, 1 },
        [INIT_COUNT] = { INIT_COUNTED, 0, 0 },
        [INIT_LOGS] = { INIT_LOGGED, 0, 3 },
        [INIT_MEASURE] = { INIT_MEASURED, 0, 0 },
};

static bool may_get(const Open *open, uint32_t kind) {
        return answers[open->kind].last == kind ||
               (answers[open->kind].before & ~open->seen & BIT(kind));
}

/* A command and a signal to it have one id: the kind tells whose event it is. */
static Open **find_open(InitLink *link, const InitEvent *event) {
        if (event->kind >= _INIT_EVENT_MAX)
                return NULL;
        for (Open **at = &link->open; *at; at = &(*at)->next)
                if ((*at)->id == event->id && may_get(*at, event->kind))
                        return at;
        return NULL;
}

static void broke(InitLink *link, const char *text) {
        Error err = ERROR_EMPTY;

        error_say(&err, -EPROTO, "the jail's init broke its protocol: %s", text);
        link->broken(&err, link->userdata);
}

static void give_last(InitLink *link, Open **at, const InitEvent *event, int *fds, unsigned n_fds) {
        autofree Open *open = *at;

        *at = open->next;
        link->n_open--;
        if (open->event)
                open->event(event, fds, n_fds, open->userdata);
}

static void give_early(Open *open, const InitEvent *event) {
        open->seen |= BIT(event->kind);
        if (open->event)
                open->event(event, NULL, 0, open->userdata);
}

static void on_parked(InitLink *link, const InitEvent *event) {
        if (link->n_parked >= link->may_park) {
                broke(link, "more children than commands");
                return;
        }
        link->parked[link->n_parked++ % PARKED_MAX] =
                (Parked){ event->pid, packets_sender(link->packets) };
}

int32_t init_link_pid(const InitLink *link, uint32_t pid) {
        for (uint64_t i = link->n_parked; pid > 0 && i > 0 && i + PARKED_MAX > link->n_parked; i--)
                if (link->parked[(i - 1) % PARKED_MAX].inside == pid)
                        return link->parked[(i - 1) % PARKED_MAX].pid;
        return 0;
}

static void on_event(InitLink *link, const InitEvent *event, int *fds, unsigned n_fds) {
        Open **at;

        if (event->kind == INIT_READY)
                return;
        if (event->kind == INIT_PARKED && n_fds == 0) {
                on_parked(link, event);
                return;
        }
        at = find_open(link, event);
        if (!at)
                broke(link, "an event that fits no open request");
        else if (n_fds >
                 (event->kind == answers[(*at)->kind].last ? answers[(*at)->kind].n_fds : 0))
                broke(link, "more descriptors than the event takes");
        else if (event->kind == answers[(*at)->kind].last)
                give_last(link, at, event, fds, n_fds);
        else
                give_early(*at, event);
}

static void on_packet(const void *bytes, size_t n, int *fds, unsigned n_fds, void *userdata) {
        InitLink *link = userdata;
        InitEvent event;

        if (n != sizeof event) {
                broke(link, "a message of a wrong size");
                return;
        }
        memcpy(&event, bytes, sizeof event);
        on_event(link, &event, fds, n_fds);
}

static void on_end(const Error *err, void *userdata) {
        InitLink *link = userdata;

        link->broken(err, link->userdata);
}

int init_link_new_consume(Front *front, const InitLinkSpec *spec, InitLink **ret, Error *err) {
        InitLink *link = calloc(1, sizeof(InitLink));
        PacketsHandler handler = { "init", on_packet, on_end, link, { 0 } };
        int r;

        if (!link) {
                (void) close(spec->fd);
                return error_set(err, -ENOMEM, "reach the jail's init");
        }
        *link = (InitLink){ .front = front,
                            .may_park = PARKED_FIRST,
                            .broken = spec->broken,
                            .userdata = spec->userdata };
        closer_jail_door(front->closer, spec->owner_uid, &handler.door);
        r = packets_new_consume(front->event, spec->fd, &handler, &link->packets, err);
        if (r < 0) {
                free(link);
                return r;
        }
        *ret = link;
        return 0;
}

InitLink *init_link_free(InitLink *link) {
        if (!link)
                return NULL;
        packets_free(link->packets);
        link->packets = NULL;
        while (link->open)
                give_last(link, &link->open, NULL, NULL, 0);
        free(link);
        return NULL;
}

void init_link_drain(InitLink *link) {
        packets_drain(link->packets);
}

int init_link_send(InitLink *link, const InitMessage *message, InitEventFn event, void *userdata,
                   Error *err) {
        InitHead *head = message->bytes;
        Open *open;
        int r;

        if (link->n_open >= OPEN_MAX)
                return error_say(err, -EBUSY, "too many requests wait in this jail: try later");
        if (!link->packets)
                return error_say(err, -EPIPE, "the jail is ending");
        open = malloc(sizeof *open);
        if (!open)
                return error_set(err, -ENOMEM, "ask the jail's init");
        if (head->kind != INIT_SIGNAL) /* that one is for a command which has its id */
                head->id = ++link->front->next_id;
        r = packets_send(link->packets, message->bytes, message->n, message->fds, message->n_fds,
                         err);
        if (r < 0) {
                free(open);
                return r;
        }
        *open = (Open){ link->open, head->id, head->kind, 0, event, userdata };
        link->open = open;
        link->n_open++;
        link->may_park += PARKED_EACH;
        return 0;
}

void init_link_forget(InitLink *link, const void *userdata) {
        for (Open *open = link->open; open; open = open->next)
                if (open->userdata == userdata)
                        open->event = NULL;
}

bool init_stream_check(int fd, uint64_t *kept, uint64_t *cut_at) {
        int seals = fcntl(fd, F_GET_SEALS);
        struct stat what;
        uint64_t size;

        if (seals < 0 || !(seals & F_SEAL_WRITE) || !(seals & F_SEAL_SHRINK) ||
            fstat(fd, &what) < 0)
                return false;
        size = what.st_size < INIT_KEEP_MAX ? (uint64_t) what.st_size : INIT_KEEP_MAX;
        if (*kept > size)
                *kept = size;
        if (*cut_at > *kept)
                *cut_at = *kept;
        return true;
}
