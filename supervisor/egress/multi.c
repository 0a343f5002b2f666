/*
 * multi: libcurl names the sockets that it wants watched and one time at which it wants to be called;
 * each socket is an sd_event source, kept as libcurl's own note on that socket (curl_multi_assign).
 */
#include "supervisor/egress/multi.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/units.h"

/* Each transfer begins by it. 0 would be sd_event's default: put off to a common moment, by 250 ms */
#define TIMER_ACCURACY 1u

struct Multi {
        sd_event *event;        /* borrowed */
        CURLM *curl;            /* owned */
        sd_event_source *timer; /* owned */
        MultiEndedFn ended;
};

/* What ended is taken out first, so that its owner may do with it what it likes. */
static void collect(Multi *multi) {
        CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(multi->curl, &left))) {
                CURL *easy = message->easy_handle;
                CURLcode code = message->data.result;
                char *userdata = NULL;

                if (message->msg != CURLMSG_DONE)
                        continue;
                (void) curl_easy_getinfo(easy, CURLINFO_PRIVATE, &userdata);
                (void) curl_multi_remove_handle(multi->curl, easy);
                multi->ended(userdata, code);
        }
}

static void act(Multi *multi, curl_socket_t fd, int what) {
        int running;

        (void) curl_multi_socket_action(multi->curl, fd, what, &running);
        collect(multi);
}

static int on_socket(sd_event_source *source, int fd, uint32_t events, void *userdata) {
        (void) source;
        act(userdata, fd,
            (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                    (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        (void) source;
        (void) usec;
        act(userdata, CURL_SOCKET_TIMEOUT, 0);
        return 0;
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *note) {
        Multi *multi = userdata;
        sd_event_source *source = note;
        uint32_t events =
                (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);

        (void) easy;
        if (what == CURL_POLL_REMOVE) {
                sd_event_source_disable_unref(source);
                (void) curl_multi_assign(multi->curl, fd, NULL);
                return 0;
        }
        if (source)
                return sd_event_source_set_io_events(source, events) < 0 ? -1 : 0;
        if (sd_event_add_io(multi->event, &source, fd, events, on_socket, multi) < 0)
                return -1;
        (void) sd_event_source_set_description(source, "upstream");
        (void) curl_multi_assign(multi->curl, fd, source);
        return 0;
}

static int set_timer(CURLM *curl, long milliseconds, void *userdata) {
        Multi *multi = userdata;

        (void) curl;
        if (milliseconds < 0)
                return sd_event_source_set_enabled(multi->timer, SD_EVENT_OFF) < 0 ? -1 : 0;
        if (sd_event_source_set_time(multi->timer,
                                     units_monotonic() + (uint64_t) milliseconds * 1000) < 0)
                return -1;
        return sd_event_source_set_enabled(multi->timer, SD_EVENT_ONESHOT) < 0 ? -1 : 0;
}

Multi *multi_free(Multi *multi) {
        if (multi) {
                if (multi->curl)
                        (void) curl_multi_cleanup(multi->curl);
                sd_event_source_disable_unref(multi->timer);
        }
        free(multi);
        return NULL;
}

int multi_new(sd_event *event, Multi **ret_multi, Error *err) {
        SCOPED(multi_free) Multi *multi = calloc(1, sizeof(*multi));
        int r;

        if (!multi)
                return error_set(err, -ENOMEM, "start libcurl");
        multi->event = event;
        multi->curl = curl_multi_init();
        if (!multi->curl)
                return error_set(err, -ENOMEM, "start libcurl");
        r = sd_event_add_time(event, &multi->timer, CLOCK_MONOTONIC, 0, TIMER_ACCURACY, on_timer,
                              multi);
        if (r < 0)
                return error_set(err, r, "add libcurl's timer");
        (void) sd_event_source_set_description(multi->timer, "libcurl");
        (void) sd_event_source_set_enabled(multi->timer, SD_EVENT_OFF);
        (void) curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, watch_socket);
        (void) curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
        (void) curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, set_timer);
        (void) curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
        *ret_multi = TAKE_PTR(multi);
        return 0;
}

/* libcurl asks for a call at once by its timer, so no transfer ends inside of this. */
int multi_add(Multi *multi, CURL *easy, Error *err) {
        if (curl_multi_add_handle(multi->curl, easy) != CURLM_OK)
                return error_say(err, -EIO, "libcurl does not take the request");
        return 0;
}

void multi_remove(Multi *multi, CURL *easy) {
        (void) curl_multi_remove_handle(multi->curl, easy);
}

void multi_on_end(Multi *multi, MultiEndedFn ended) {
        multi->ended = ended;
}
