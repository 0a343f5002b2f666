/*
 * curl-watch: see curl-watch.h.
 */
#include "agent/curl-watch.h"

#include <errno.h>

#include "base/owned.h"
#include "base/units.h"

void curl_watch_init(CurlWatch *watch) {
        *watch = (CurlWatch){ .n = 1, .deadline = UINT64_MAX };
        watch->fds[0].fd = -EBADF;
}

void curl_watch_deinit(CurlWatch *watch) {
        if (!watch->multi)
                return;
        curl_multi_cleanup(watch->multi);
        curl_global_cleanup();
}

static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *userdata, void *unused) {
        CurlWatch *watch = userdata;
        unsigned i = 1;

        (void) easy;
        (void) unused;
        while (i < watch->n && watch->fds[i].fd != fd)
                i++;
        if (what == CURL_POLL_REMOVE) {
                if (i < watch->n)
                        watch->fds[i] = watch->fds[--watch->n];
                return 0;
        }
        if (i == watch->n) {
                if (watch->n == ELEMENTS(watch->fds))
                        return -1;
                watch->n++;
        }
        watch->fds[i] = (struct pollfd){
                .fd = fd,
                .events = (short) ((what & CURL_POLL_IN ? POLLIN : 0) |
                                   (what & CURL_POLL_OUT ? POLLOUT : 0)),
        };
        return 0;
}

static int set_timer(CURLM *multi, long milliseconds, void *userdata) {
        CurlWatch *watch = userdata;

        (void) multi;
        watch->deadline =
                milliseconds < 0 ? UINT64_MAX : units_monotonic() + (uint64_t) milliseconds * 1000;
        return 0;
}

int curl_watch_start(CurlWatch *watch, Error *err) {
        if (watch->multi)
                return 0;
        if (curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
                return error_say(err, -EIO, "libcurl does not start");
        watch->multi = curl_multi_init();
        if (!watch->multi) {
                curl_global_cleanup();
                return error_set(err, -ENOMEM, "start libcurl");
        }
        (void) curl_multi_setopt(watch->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
        (void) curl_multi_setopt(watch->multi, CURLMOPT_SOCKETDATA, watch);
        (void) curl_multi_setopt(watch->multi, CURLMOPT_TIMERFUNCTION, set_timer);
        (void) curl_multi_setopt(watch->multi, CURLMOPT_TIMERDATA, watch);
        /* an idle one of those that it keeps makes room for a fresh one */
        (void) curl_multi_setopt(watch->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS,
                                 (long) CURL_TRANSFERS_MAX);
        return 0;
}

/* libcurl gives each message once. */
static void note_ends(CurlWatch *watch) {
        const CURLMsg *message;
        int left;

        while ((message = curl_multi_info_read(watch->multi, &left))) {
                CurlTransfer *transfer = NULL;

                if (message->msg != CURLMSG_DONE ||
                    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) !=
                            CURLE_OK ||
                    !transfer)
                        continue;
                transfer->code = message->data.result;
                transfer->ended = true;
        }
}

static void act(CurlWatch *watch, curl_socket_t fd, int what) {
        int running;

        (void) curl_multi_socket_action(watch->multi, fd, what, &running);
        note_ends(watch);
}

int curl_watch_add(CurlWatch *watch, CurlTransfer *transfer) {
        transfer->ended = false;
        (void) curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer);
        if (curl_multi_add_handle(watch->multi, transfer->easy) != CURLM_OK)
                return -EIO;
        transfer->added = true;
        watch->n_transfers++;
        act(watch, CURL_SOCKET_TIMEOUT, 0);
        return 0;
}

void curl_watch_remove(CurlWatch *watch, CurlTransfer *transfer) {
        if (!transfer->added)
                return;
        (void) curl_multi_remove_handle(watch->multi, transfer->easy);
        transfer->added = false;
        watch->n_transfers--;
}

void curl_watch_dispatch(CurlWatch *watch) {
        struct pollfd ready[ELEMENTS(watch->fds)];
        unsigned n = watch->n;

        /* watch_socket() changes watch->fds meanwhile */
        for (unsigned i = 0; i < n; i++)
                ready[i] = watch->fds[i];
        for (unsigned i = 1; i < n; i++) {
                int what = (ready[i].revents & POLLIN ? CURL_CSELECT_IN : 0) |
                           (ready[i].revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
                           (ready[i].revents & (POLLERR | POLLHUP) ? CURL_CSELECT_ERR : 0);

                if (what)
                        act(watch, ready[i].fd, what);
        }
        if (watch->multi && watch->deadline <= units_monotonic()) {
                watch->deadline = UINT64_MAX;
                act(watch, CURL_SOCKET_TIMEOUT, 0);
        }
}
