/*
 * notary-link: see notary-link.h. Answers come in the order of the requests, so they need no number.
 */
#include "supervisor/front/gate/notary-link.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/log.h"

#define PENDING_MAX 1024u

typedef struct Pending Pending;

struct Pending {
        Pending *next;
        NotaryRequest request;
        NotaryFn done;
        void *userdata;
};

struct Notary {
        Front *front; /* borrowed, outlives us */
        int fd;       /* owned; negative: there is none */
        sd_event_source *io;
        Pending *first, *last; /* owned, oldest first */
        unsigned n;
        bool has_said; /* whose key it has */
        NotaryHello hello;
        char fault[ERROR_TEXT_MAX];
};

bool notary_is_there(const Notary *notary) {
        return notary && notary->fd >= 0;
}

const char *notary_key(const Notary *notary) {
        return notary_is_there(notary) && notary->has_said ? notary->hello.key : NULL;
}

const char *notary_pem(const Notary *notary) {
        return notary_is_there(notary) && notary->has_said ? notary->hello.pem : NULL;
}

const char *notary_fault(const Notary *notary) {
        return notary ? notary->fault : "there is no notary";
}

bool notary_is_busy(const Notary *notary) {
        return notary && notary->n > 0;
}

/* ---- answers ------------------------------------------------------------------------------------- */

static void say_fault(int code, Error *err) {
        if (code == -EFBIG)
                (void) error_say(err, code,
                                 "the host's list of heads is full (\"anchors\" in the state "
                                 "directory): keep it somewhere else and restart");
        else if (code == -EBUSY)
                (void) error_say(err, code, "too many heads are to be signed at once");
        else
                (void) error_set(err, code, "sign a head");
}

static Pending *take_first(Notary *notary) {
        Pending *first = notary->first;

        notary->first = first->next;
        if (!notary->first)
                notary->last = NULL;
        notary->n--;
        return first;
}

static void fail(Notary *notary, Pending *pending, int code) {
        Error err = ERROR_EMPTY;

        say_fault(code, &err);
        if (pending->request.kind == NOTARY_SIGN) {
                (void) snprintf(notary->fault, sizeof(notary->fault), "%s", err.text);
                log_event(LOG_ERR, "a receipt's head is not signed",
                          F("RECEIPT", pending->request.statement.subject), F_ERR(&err));
        }
        pending->done(&pending->request.statement, NULL, &err, pending->userdata);
}

/* The same text that the notary has signed, made of the same fields */
static int make_envelope(const Notary *notary, Statement *statement, const NotaryReply *reply,
                         char *envelope) {
        char text[STATEMENT_TEXT_MAX];
        int n;

        statement->anchor = reply->anchor;
        statement->time_usec = reply->time_usec;
        n = statement_text(statement, text);
        return n < 0 ? n : envelope_text(text, notary->hello.key, reply->signature, envelope);
}

static void answer(Notary *notary, const NotaryReply *reply) {
        autofree Pending *pending = take_first(notary);
        char envelope[ENVELOPE_TEXT_MAX];
        int r = reply->code;

        if (r == 0 && pending->request.kind == NOTARY_SYNC) {
                pending->done(NULL, NULL, NULL, pending->userdata);
                return;
        }
        if (r == 0)
                r = make_envelope(notary, &pending->request.statement, reply, envelope);
        if (r < 0) {
                fail(notary, pending, r);
                return;
        }
        notary->fault[0] = 0;
        pending->done(&pending->request.statement, envelope, NULL, pending->userdata);
}

static void lose(Notary *notary, const char *why) {
        log_event(LOG_ERR, "receipts are not signed any more", F("CAUSE", why));
        notary->io = sd_event_source_disable_unref(notary->io);
        owned_close(&notary->fd);
        notary->fd = -EBADF;
        (void) snprintf(notary->fault, sizeof(notary->fault), "%s", why);
        while (notary->first) {
                autofree Pending *pending = take_first(notary);

                fail(notary, pending, -EPIPE);
        }
        front_touch(notary->front);
}

static void hear(Notary *notary) {
        Error err = ERROR_EMPTY;

        if (notary_hear(notary->fd, &notary->hello, &err) < 0)
                lose(notary, err.text);
        else
                notary->has_said = true;
}

static int on_io(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        Notary *notary = userdata;
        NotaryReply reply;
        ssize_t n;

        (void) source;
        (void) events;
        if (!notary->has_said) {
                hear(notary);
                return 0;
        }
        n = recv(fd, &reply, sizeof(reply), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (n != (ssize_t) sizeof(reply) || !notary->first) {
                lose(notary, "the notary has ended: restart the supervisor");
                return 0;
        }
        answer(notary, &reply);
        if (notary->n == 0)
                front_touch(notary->front); /* a private front goes when all is signed */
        return 0;
}

/* ---- life ---------------------------------------------------------------------------------------- */

int notary_link_new(Front *front, int fd, Notary **ret, Error *err) {
        autoclose int owned = fd;
        Notary *notary = calloc(1, sizeof(*notary));
        int r = 0;

        if (!notary)
                return error_set(err, -ENOMEM, "reach the notary");
        *notary = (Notary){ .front = front, .fd = TAKE_FD(owned) };
        if (notary->fd < 0)
                (void) snprintf(notary->fault, sizeof(notary->fault), "there is no notary");
        else
                r = sd_event_add_io(front->event, &notary->io, notary->fd, EPOLLIN, on_io, notary);
        if (r < 0) {
                notary_link_free(notary);
                return error_set(err, r, "listen to the notary");
        }
        if (notary->io)
                (void) sd_event_source_set_description(notary->io, "notary");
        *ret = notary;
        return 0;
}

Notary *notary_link_free(Notary *notary) {
        if (!notary)
                return NULL;
        sd_event_source_disable_unref(notary->io);
        while (notary->first)
                free(take_first(notary));
        owned_close(&notary->fd);
        free(notary);
        return NULL;
}

static int ask(Notary *notary, const NotaryRequest *request, NotaryFn done, void *userdata,
               Error *err) {
        Pending *pending;

        if (!notary_is_there(notary))
                return error_say(err, -ENOTCONN, "%s", notary_fault(notary));
        if (notary->n >= PENDING_MAX)
                return error_say(err, -EBUSY, "too many heads wait to be signed");
        pending = calloc(1, sizeof(*pending));
        if (!pending)
                return error_set(err, -ENOMEM, "ask the notary");
        if (send(notary->fd, request, sizeof(*request), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
                free(pending);
                return error_set(err, -errno, "ask the notary");
        }
        *pending = (Pending){ .request = *request, .done = done, .userdata = userdata };
        if (notary->last)
                notary->last->next = pending;
        else
                notary->first = pending;
        notary->last = pending;
        notary->n++;
        return 0;
}

int notary_sign(Notary *notary, const Statement *statement, NotaryFn done, void *userdata,
                Error *err) {
        NotaryRequest request = { .kind = NOTARY_SIGN, .statement = *statement };

        return ask(notary, &request, done, userdata, err);
}

int notary_sync(Notary *notary, NotaryFn done, void *userdata, Error *err) {
        NotaryRequest request = { .kind = NOTARY_SYNC };

        return ask(notary, &request, done, userdata, err);
}
